"""The plugins serve what their Python packages ask for: types, properties, secrets."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pulumi_random
import pulumi_tls
import pytest

from lab.toolchain import Source, Toolchain
from tests.conformance.bridged.sdk import Shape, shapes_of_package

Served = Callable[[str], dict[str, Shape]]

# Arguments for keys that are to reach no state (`…PemWo`) are younger than the release of the
# provider that is pinned: a plugin built from it takes keys as `…Pem` alone, and demands them.
PLAIN_KEYS = {
    "tls:index/certRequest:CertRequest": "privateKeyPem",
    "tls:index/locallySignedCert:LocallySignedCert": "caPrivateKeyPem",
    "tls:index/selfSignedCert:SelfSignedCert": "privateKeyPem",
}


def without_write_only_key(shape: Shape, key: str) -> Shape:
    write_only = {f"{key}Wo", f"{key}WoVersion"}
    assert write_only <= shape.inputs.keys()
    return replace(
        shape,
        inputs={name: kind for name, kind in shape.inputs.items() if name not in write_only},
        required=shape.required | {key},
        outputs={name: kind for name, kind in shape.outputs.items() if name not in write_only},
        secrets=shape.secrets - write_only,
    )


@pytest.mark.parametrize(
    ("plugin", "package"), [("random", pulumi_random), ("tls", pulumi_tls)], ids=str
)
def test_every_type_is_as_the_package_has_it(
    plugin: str, package: ModuleType, served: Served, toolchain: Toolchain
) -> None:
    expected = shapes_of_package(package)
    if toolchain[f"pulumi-resource-{plugin}"].source is Source.BUILT:
        for token in expected.keys() & PLAIN_KEYS.keys():
            expected[token] = without_write_only_key(expected[token], PLAIN_KEYS[token])
    assert served(plugin) == expected

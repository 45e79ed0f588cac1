"""Names in Vault that the stack's configuration chooses."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_trust.settings import InvalidConfigurationError
from mesh_trust.settings.names import FIELDS, VaultNames

from .test_configuration_reference import CHECKOUT
from .test_settings import environment, load

__all__ = ["environment"]

BLUE = yaml.safe_load(
    (CHECKOUT / "docs/several-meshes.md").read_text().partition("```yaml")[2].partition("```")[0]
)["config"]["mesh-trust:vaultNames"]


def test_the_guides_names_are_the_defaults() -> None:
    settings = load()
    assert settings.names == VaultNames()
    east = settings.clusters[0].names
    assert (east.intermediate_mount, east.ca_mount) == ("pki_int_east", "pki_east")
    assert (east.auth_mount, east.role) == ("kube-east-mesh-auth", "gen-int-ca-istio-east-mesh")
    assert east.policy == "gen-int-ca-istio-east-mesh"


def test_the_documented_names_can_be_used() -> None:
    settings = load(vaultNames=BLUE, administrator=True, signingCa="cluster", rootPathLength=2)
    assert settings.names.root_mount == "blue/pki"
    assert settings.names.administrator == "admin"
    east, west = (cluster.names for cluster in settings.clusters)
    assert (east.intermediate_mount, west.ca_mount) == ("blue/pki_int_east", "blue/pki_west")
    assert (east.auth_mount, west.role, west.policy) == ("blue-east", "blue-west", "blue-west")


def test_every_field_is_documented() -> None:
    page = (CHECKOUT / "docs/several-meshes.md").read_text()
    declared = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())["config"]["vaultNames"]
    for field, of_names in FIELDS.items():
        assert f"| `{field}` |" in page
        assert f"`{getattr(VaultNames(), of_names)}` |" in page
        assert field in declared["description"]


def test_a_login_with_keys_has_a_mount_of_its_own(environment: Path) -> None:
    (environment / "keys.json").write_text("{}")
    names = VaultNames(jwt_auth_mount="blue-jwt-{cluster}")
    assert names.of("east", "jwt").auth_mount == "blue-jwt-east"
    assert names.of("east", "client").auth_mount == "kube-east-mesh-auth"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("blue", "vaultNames: 'blue' is not valid; give it the fields rootMount, "),
        (
            {"rootmount": "pki"},
            "vaultNames.rootmount: '…' is not valid; there is no such field: use rootMount, or ",
        ),
        ({"rootMount": 1}, "vaultNames.rootMount: 1 is not valid; give it a text"),
        ({"rootMount": "pki*"}, "vaultNames.rootMount: 'pki*' is not valid; use letters, "),
        ({"rootMount": "/pki"}, "vaultNames.rootMount: '/pki' is not valid; use letters, "),
        (
            {"rootMount": "pki-{cluster}"},
            "vaultNames.rootMount: 'pki-{cluster}' is not valid; use letters",
        ),
        (
            {"intermediateMount": "pki"},
            "vaultNames.intermediateMount: 'pki' is not valid; put {cluster} ",
        ),
        ({"role": "+{cluster}"}, "vaultNames.role: '+{cluster}' is not valid; use letters, "),
        (
            {"policy": "Blue-{cluster}"},
            "vaultNames.policy: 'Blue-{cluster}' is not valid; use lower case",
        ),
        ({"administrator": "Ann"}, "vaultNames.administrator: 'Ann' is not valid; "),
        (
            {"intermediateMount": "pki/{cluster}"},
            "vaultNames.intermediateMount: 'pki/east' is not valid; use another one: "
            "vaultNames.rootMount is 'pki' already",
        ),
        (
            {"rootMount": "pki_int_east/pki"},
            "vaultNames.intermediateMount: 'pki_int_east' is not valid; use another one: "
            "vaultNames.rootMount is 'pki_int_east/pki' already",
        ),
        (
            {"clusterCaMount": "pki_int_{cluster}"},
            "vaultNames.clusterCaMount: 'pki_int_east' is not valid; use another one: "
            "vaultNames.intermediateMount is 'pki_int_east' already",
        ),
        (
            {"administratorMount": "kube-west-mesh-auth"},
            "vaultNames.administratorMount: 'kube-west-mesh-auth' is not valid; use another one: "
            "vaultNames.authMount is 'kube-west-mesh-auth' already",
        ),
        (
            {"administratorPolicy": "gen-int-ca-istio-east-mesh"},
            "vaultNames.administratorPolicy: 'gen-int-ca-istio-east-mesh' is not valid; use "
            "another one: vaultNames.policy is 'gen-int-ca-istio-east-mesh' already",
        ),
    ],
)
def test_names_that_are_refused(names: Any, message: str) -> None:
    with pytest.raises(InvalidConfigurationError) as refusal:
        load(vaultNames=names, administrator=True, signingCa="cluster", rootPathLength=2)
    assert str(refusal.value).startswith(message)


def test_neighbours_of_what_is_refused_pass() -> None:
    """What is not made cannot be in the way, and a common beginning is no common path."""
    load(vaultNames={"clusterCaMount": "pki_int_{cluster}"})
    load(vaultNames={"administratorMount": "kube-west-mesh-auth"})
    load(vaultNames={"rootMount": "pki_int_eas", "role": "blue-{cluster}-{cluster}"})
    load(vaultNames={"rootMount": "Blue/PKI.1"})


def test_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().vault.namespace is None
    assert load(vaultNamespace="team/blue").vault.namespace == "team/blue"
    monkeypatch.setenv("VAULT_NAMESPACE", "admin/")
    assert load().vault.namespace == "admin"
    assert load(vaultNamespace="team").vault.namespace == "team"
    with pytest.raises(
        InvalidConfigurationError, match=r"^vaultNamespace: 'te\+m' is not valid; use letters"
    ):
        load(vaultNamespace="te+m")

"""A root in one stack, and clusters in others."""

from typing import Any

import pytest
from cryptography import x509

from lab.lab import Lab
from tests.printed import named_in
from tests.program.handshake import handshake

from .conftest import ExampleOf, Look, TokenOf
from .example import Example

ROOT_STACK = "organization/fleet-root/test"


@pytest.fixture
def root(example_of: ExampleOf, leads_there: dict[str, str]) -> Example:
    root = example_of("fleet/root")
    root.configure(
        vaultAddress=leads_there["vaultAddress"],
        vaultCaFile=leads_there["vaultCaFile"],
        protect=False,
    )
    return root


def clusters(
    example_of: ExampleOf, leads_there: dict[str, str], cluster: str, **changes: Any
) -> Example:
    """A stack with one cluster in it."""
    stack = example_of("fleet/clusters", cluster)
    given = {key: leads_there[key] for key in ("kubeconfig", "vaultCaFile")}
    stack.configure(**{"rootStack": ROOT_STACK, "clusters": {cluster: cluster}, **given, **changes})
    return stack


@pytest.mark.soak
def test_a_cluster_is_added_without_touching_the_others(
    root: Example,
    example_of: ExampleOf,
    leads_there: dict[str, str],
    lab: Lab,
    look: Look,
    token_of: TokenOf,
) -> None:
    token = token_of("fleet", 1)
    root.environment["VAULT_TOKEN"] = token_of("fleet", 0)
    before = look()
    certificate = x509.load_pem_x509_certificate(root.up()["rootCertificate"].encode())
    east = clusters(example_of, leads_there, "east")
    east.environment["VAULT_TOKEN"] = token
    east.up()
    with_east = look()

    west = clusters(example_of, leads_there, "west")
    west.environment["VAULT_TOKEN"] = token
    west.up()

    changed = {name for name in look().changes_since(with_east) if name in with_east.names()}
    assert changed == set()
    for cluster in ("east", "west"):
        handshake(lab, cluster).certificate.verify_directly_issued_by(certificate)
    for stack in (root, east, west):
        stack.run("preview", "--expect-no-changes")
        # That the search finds what is there: the certificate is in each of the states.
        assert "BEGIN CERTIFICATE" in stack.secrets()
        assert "PRIVATE KEY" not in stack.secrets()

    assert_another_of_its_name_is_refused(example_of, leads_there, look)
    west.destroy()
    assert look().changes_since(with_east) == set()
    east.destroy()
    root.destroy()
    assert look().changes_since(before) == set()


def assert_another_of_its_name_is_refused(
    example_of: ExampleOf, leads_there: dict[str, str], look: Look
) -> None:
    """A second stack with a cluster of the name `east`."""
    before = look()
    another = clusters(example_of, leads_there, "another", clusters={"east": "west"})
    refused = another.attempt("preview")
    assert refused.exit_code != 0
    assert "Traceback" not in refused.output
    assert {"mount pki_int_east", "auth mount kube-east-mesh-auth"} <= named_in(refused.output)
    assert look().changes_since(before) == set()


def test_a_root_that_is_not_there_is_told_in_a_line(
    example_of: ExampleOf, leads_there: dict[str, str], look: Look
) -> None:
    before = look()
    stack = clusters(example_of, leads_there, "east", rootStack="organization/fleet-root/none")
    [told] = stack.refusals()
    assert 'unknown stack "organization/fleet-root/none"' in told

    assert look().changes_since(before) == set()


def test_a_root_that_has_not_been_made_yet_is_told_in_a_line(
    root: Example, example_of: ExampleOf, leads_there: dict[str, str], look: Look
) -> None:
    before = look()
    assert root.resources() == []

    [told] = clusters(example_of, leads_there, "east").refusals()

    assert f"rootStack: '{ROOT_STACK}' is not valid; " in told
    assert "pulumi up" in told
    assert look().changes_since(before) == set()


WRONG: dict[str, list[tuple[Any, str]]] = {
    "clusters": [
        ({"east_1": "east"}, "cluster: 'east_1' is not valid; "),
        ({"east": "nowhere"}, "'nowhere' is not valid; use one that it has: "),
        (["east"], "configuration key 'clusters' must be of type 'object'"),
        ({"east": {"context": "east"}}, "{'context': 'east'} is not valid; use one that it has: "),
    ],
    "kubeconfig": [("/nowhere", "kubeconfig: '/nowhere' is not valid; ")],
    "vaultCaFile": [("/nowhere", "vaultCaFile: '/nowhere' is not valid; ")],
}


@pytest.mark.soak
def test_a_wrong_value_is_told_in_a_line(
    root: Example, example_of: ExampleOf, leads_there: dict[str, str], look: Look
) -> None:
    root.up()
    before = look()
    stack = clusters(example_of, leads_there, "east")

    for key, wrongs in WRONG.items():
        for value, line in wrongs:
            right = {each: leads_there[each] for each in ("kubeconfig", "vaultCaFile")}
            stack.configure(**{"clusters": {"east": "east"}, **right, key: value})
            [told] = stack.refusals()
            assert line in told

    assert look().changes_since(before) == set()

from typing import Any

import grpc
import pulumi
import pulumi.runtime
import pulumi_vault as vault
import pytest

from mesh_trust.issuers import IssuersUnreadableError, issuer_id_of, select_issuer

from .conftest import Recorder, make_certificate, run

LIST = "vault:pkiSecret/getBackendIssuers:getBackendIssuers"
READ = "vault:pkiSecret/getBackendIssuer:getBackendIssuer"
ROOT = make_certificate("root")


def test_an_issuer_is_found_by_its_certificate() -> None:
    wanted, same_name = make_certificate("root"), make_certificate("root")

    assert select_issuer(wanted, "pki", [("one", same_name), ("two", wanted)]) == "two"


def test_a_missing_issuer_is_named() -> None:
    wanted, same_name = make_certificate("root"), make_certificate("root")

    with pytest.raises(LookupError, match="mount 'pki' has no issuer with the root certificate"):
        select_issuer(wanted, "pki", [("one", same_name)])
    with pytest.raises(LookupError, match=r"mount 'pki' has no issuers any more: `pulumi refresh`"):
        select_issuer(wanted, "pki", [])


class Refused(grpc.RpcError):
    """How the engine tells of a call that a provider refused."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return f"invocation of {LIST} returned an error: failed to lookup:\n\n* Vault is sealed\n"


def refuse(_: dict[str, Any]) -> dict[str, Any]:
    raise Refused


def look_up(mocks: Recorder, *, preview: bool, address: Any = "https://vault") -> list[Any]:
    """The id of the root in a mount, and whether it is known."""
    pulumi.runtime.set_mocks(mocks, project="mesh-trust", stack="unit", preview=preview)

    def program() -> pulumi.Output[Any]:
        provider = vault.Provider("vault", address=address)
        parent = pulumi.ComponentResource(
            "test:index:Parent", "parent", None, pulumi.ResourceOptions(providers=[provider])
        )
        found = issuer_id_of(ROOT, "pki", pulumi.InvokeOptions(parent=parent))
        return pulumi.Output.all(found.future(), found.is_known())

    outcome: list[Any] = run(program)
    return outcome


@pytest.mark.parametrize("preview", [True, False])
def test_the_issuers_of_a_mount_are_asked_for(recorder: Recorder, preview: bool) -> None:
    recorder.answers[LIST] = lambda asked: {**asked, "keys": ["one"]}
    recorder.answers[READ] = lambda asked: {**asked, "certificate": ROOT}

    assert look_up(recorder, preview=preview) == ["one", True]


def test_an_update_without_them_is_one_line(recorder: Recorder) -> None:
    recorder.answers[LIST] = refuse

    with pytest.raises(
        IssuersUnreadableError,
        match=r"^the issuers of mount 'pki' cannot be read \(failed to lookup: .* is sealed\)$",
    ):
        look_up(recorder, preview=False)


def test_a_preview_goes_on_without_them(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.answers[LIST] = refuse

    assert look_up(recorder, preview=True) == [None, False]
    (warning,) = caplog.records
    assert warning.levelname == "WARNING"
    assert warning.getMessage().endswith("Vault is sealed); this preview goes on without it")


def test_a_provider_does_not_know_its_vault_yet(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    # The engine answers in its place.
    recorder.answers[LIST] = lambda _: {}

    assert look_up(recorder, preview=True, address=pulumi.UNKNOWN) == [None, False]
    assert caplog.records == []
    recorder.answers[LIST] = lambda asked: {**asked, "keys": None}
    with pytest.raises(LookupError, match="has no issuers any more"):
        look_up(recorder, preview=True)


def test_a_provider_may_have_its_address_from_the_shell(recorder: Recorder) -> None:
    recorder.answers[LIST] = lambda asked: {**asked, "keys": ["one"]}
    recorder.answers[READ] = lambda asked: {**asked, "certificate": ROOT}

    assert look_up(recorder, preview=True, address=None) == ["one", True]

"""Whether a root may take the place of the one that the stack has."""

from typing import Any

import pulumi
import pytest

from mesh_trust import InvalidInputError
from mesh_trust.environment import stack_outputs
from mesh_trust.environment.present_roots import roots_output
from mesh_trust.environment.root_guard import RootGuard, RootReplacementError
from mesh_trust.environment.stack_outputs import OutputsUnreadableError
from mesh_trust.root_checks import fingerprint
from mesh_trust.settings import Generation, Root
from tests.certificates import Made, Recipe, make, rsa_key

from .conftest import Recorder

READ = "pulumi:pulumi:readStackOutputs"
PRESENT = make(Recipe(key=rsa_key(3072), ends=3649))
ARGS: Any = {"common_name": "root", "key_algorithm": "RSA-3072"}


@pytest.fixture
def recorder() -> Recorder:
    """A program of an organization, as a running one always is."""
    return running(preview=False)


def running(*, preview: bool) -> Recorder:
    mocks = Recorder()
    pulumi.runtime.set_mocks(mocks, "mesh-trust", "unit", preview, organization="organization")
    return mocks


def root(certificate: Made | None = None, replaces: str | None = None, **changes: Any) -> Root:
    source = "generated" if certificate is None else "imported"
    only = generation("first", certificate, **changes)
    return Root(source, (only,), "first", replaces=replaces)


def generation(name: str, certificate: Made | None = None, **changes: Any) -> Generation:
    pem = None if certificate is None else certificate.certificate_pem
    args: Any = {**ARGS, **changes}
    return Generation(name, args, pem, None)


def generations(signing: str, **certificates: Made) -> Root:
    each = tuple(generation(name, made) for name, made in certificates.items())
    return Root("imported", each, signing)


def has(recorder: Recorder, present: Made | None) -> None:
    """Gives the stack this root."""
    outputs = {} if present is None else {"rootCertificate": present.certificate_pem}
    recorder.answers[READ] = lambda asked: {**asked, "outputs": outputs}


def check(wanted: Root, *, development: bool = False) -> RootGuard:
    return RootGuard.of(wanted, development=development).check(wanted)


@pytest.mark.parametrize("wanted", [root(), root(PRESENT)])
def test_the_present_root_stays(recorder: Recorder, wanted: Root) -> None:
    has(recorder, PRESENT)
    assert check(wanted).present == PRESENT.certificate


def test_the_first_root_replaces_nothing(recorder: Recorder) -> None:
    has(recorder, None)
    assert check(root(common_name="other")).present is None


@pytest.mark.parametrize(
    ("wanted", "change"),
    [
        (root(common_name="other"), "it has common name 'root' instead of 'other'"),
        (root(lifetime_days=10, path_length=2), "it has lifetime 3650 days instead of 10 days, "),
        (root(key_algorithm="ECDSA-P256"), "it has key RSA 3072 instead of ECDSA 256"),
        (root(make()), "by 'CN=root' "),
    ],
)
def test_another_root_has_to_be_meant(recorder: Recorder, wanted: Root, change: str) -> None:
    has(recorder, PRESENT)
    with pytest.raises(RootReplacementError) as refusal:
        check(wanted)
    line = str(refusal.value)
    assert line.startswith(f"this plan replaces the root ({change}")
    assert line.endswith(f"set rootReplaces to {fingerprint(PRESENT.certificate)} if that is meant")
    assert "\n" not in line
    # What was said once is not said again.
    assert check(wanted, development=True).present is None
    named = root(replaces=fingerprint(PRESENT.certificate), common_name="other")
    assert check(named).present is None


def test_a_renewed_certificate_needs_a_new_key_or_name(recorder: Recorder) -> None:
    has(recorder, PRESENT)
    renewed = make(Recipe(key=PRESENT.key, ends=4000))
    for replaces in (None, fingerprint(PRESENT.certificate)):
        with pytest.raises(InvalidInputError, match=r"^rootCertificate: 'CN=root' is not valid; "):
            check(root(renewed, replaces), development=True)
    for other in (
        make(Recipe(key=PRESENT.key, common_name="other")),
        make(Recipe(key=rsa_key(3072))),
    ):
        assert check(root(other), development=True).present is None


def test_the_generation_that_has_to_be_another_is_named_as_it_stands(recorder: Recorder) -> None:
    has(recorder, PRESENT)
    renewed = make(Recipe(key=PRESENT.key, ends=4000))
    with pytest.raises(InvalidInputError, match=r"^rootGenerations\[1\]\.certificate: 'CN=root' "):
        check(generations("first", first=PRESENT, next=renewed))


def test_naming_another_root_does_not_count(recorder: Recorder) -> None:
    has(recorder, PRESENT)
    with pytest.raises(RootReplacementError):
        check(root(replaces=fingerprint(make().certificate), common_name="other"))


NEXT = make(Recipe(common_name="next"))
LAST = make(Recipe(common_name="last"))


def has_all(recorder: Recorder, signing: str, **certificates: Made) -> None:
    """Gives the stack these generations."""
    pems = {name: made.certificate_pem for name, made in certificates.items()}
    roots = roots_output(pems, signing)
    outputs = {"rootCertificate": pems[signing], "roots": roots}
    recorder.answers[READ] = lambda asked: {**asked, "outputs": outputs}


def test_what_the_stack_says_of_its_roots() -> None:
    pems = {"first": PRESENT.certificate_pem, "next": NEXT.certificate_pem}
    first, second = roots_output(pems, "next")
    assert first == {
        "name": "first",
        "fingerprint": fingerprint(PRESENT.certificate),
        "notAfter": PRESENT.certificate.not_valid_after_utc.isoformat()[:19] + "Z",
        "signing": False,
        "certificate": PRESENT.certificate_pem,
    }
    assert (second["name"], second["signing"]) == ("next", True)


def test_a_root_changes_in_steps_without_a_word(recorder: Recorder) -> None:
    """Each step forth and back is let pass, and what is left to look at is who is retired."""
    one = generations("first", first=PRESENT)
    added = generations("first", first=PRESENT, next=NEXT)
    switched = generations("next", first=PRESENT, next=NEXT)
    left = generations("next", next=NEXT)
    both = {"first": PRESENT, "next": NEXT}
    for has_signing, present, wanted, retired in (
        ("first", {"first": PRESENT}, added, []),
        ("first", both, one, ["next"]),
        ("first", both, switched, []),
        ("next", both, added, []),
        ("next", both, left, ["first"]),
        ("next", {"next": NEXT}, switched, []),
    ):
        has_all(recorder, has_signing, **present)
        guard = check(wanted)
        assert guard.present == present[has_signing].certificate
        assert [each.name for each in guard.retired(wanted)] == retired


@pytest.mark.parametrize(
    ("wanted", "change"),
    [
        (generations("next", next=NEXT), "generation next would sign before anyone trusts it"),
        (
            generations("next", first=PRESENT, next=NEXT),
            "generation next would sign before anyone trusts it",
        ),
        (generations("first", first=NEXT), "by 'CN=next' "),
    ],
)
def test_a_step_that_is_left_out_has_to_be_meant(
    recorder: Recorder, wanted: Root, change: str
) -> None:
    has(recorder, PRESENT)
    with pytest.raises(RootReplacementError) as refusal:
        check(wanted)
    line = str(refusal.value)
    assert line.startswith(f"this plan replaces the root ({change}")
    assert "change the root in three steps with rootGenerations (docs/root-rotation.md)" in line


def test_a_switch_leaves_what_signed_trusted(recorder: Recorder) -> None:
    has_all(recorder, "first", first=PRESENT, next=NEXT)
    for wanted, change in (
        (generations("next", next=NEXT), "generation first would be trusted no more"),
        (generations("next", first=LAST, next=NEXT), "by 'CN=last' "),
        (generations("next", first=PRESENT, next=LAST), "by 'CN=last' "),
    ):
        with pytest.raises(RootReplacementError, match=rf"replaces the root \({change}"):
            check(wanted)


@pytest.mark.parametrize(
    ("signing", "wanted", "words"),
    [
        # In place of one that does not sign comes another of its name, or of another.
        ("first", generations("first", first=PRESENT, next=LAST), "generation next would go, and"),
        ("first", generations("first", first=PRESENT, last=LAST), "next would go, and last come)"),
        ("next", generations("next", next=NEXT, last=LAST), "first would go, and last come)"),
    ],
)
def test_one_goes_and_another_comes_in_two_plans(
    recorder: Recorder, signing: str, wanted: Root, words: str
) -> None:
    has_all(recorder, signing, first=PRESENT, next=NEXT)
    with pytest.raises(RootReplacementError) as refusal:
        check(wanted)
    line = str(refusal.value)
    assert line.startswith("this plan exchanges roots that do not sign (")
    assert words in line
    assert "with another update" in line
    assert "\n" not in line
    # The root that signs is looked after all the same.
    assert check(wanted, development=True).present is not None


class HalfWritten:
    """A state that cannot be read at first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def __call__(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("invocation of it returned an error: failed to load checkpoint: EOF")
        return {**asked, "outputs": {"rootCertificate": PRESENT.certificate_pem}}


def test_an_update_waits_for_a_state_that_is_being_written(recorder: Recorder) -> None:
    recorder.answers[READ] = HalfWritten(3)
    assert check(root()).present == PRESENT.certificate


def test_an_update_does_not_wait_for_ever(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_outputs, "_WRITING_SECONDS", 0.3)
    recorder.answers[READ] = HalfWritten(10**9)
    with pytest.raises(OutputsUnreadableError, match=r"^the outputs of .*/mesh-trust/unit cannot"):
        check(root())


def test_a_preview_does_not_wait() -> None:
    recorder = running(preview=True)
    recorder.answers[READ] = HalfWritten(1)
    with pytest.raises(OutputsUnreadableError, match=r"\(failed to load checkpoint: EOF\)"):
        check(root())

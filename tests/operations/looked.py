"""What `mesh-trust preflight` says, as the tests compare it."""

from collections.abc import Mapping

from .command import MeshTrust, Told

SCALED_DOWN = {
    ("gloo-agent", "cluster east"),
    ("gloo-agent", "cluster west"),
    ("gloo-management-server", "cluster management"),
    ("istiod", "cluster east"),
    ("istiod", "cluster west"),
}
"""What a lab without nodes is warned of: its Deployments have no pods."""

Pairs = set[tuple[str, str]]


def preflight(mesh_trust: MeshTrust, environment: Mapping[str, str] | None = None) -> Told:
    """Runs it; whatever it finds is told on single lines, and what is bad with something to do."""
    told = mesh_trust.run("preflight", "--json", environment=environment)
    assert told.exit_code in (0, 1), told.errors
    assert "Traceback" not in told.errors
    for each in told.findings:
        for text in (each["seen"], each["fix"] or ""):
            assert text == " ".join(text.split()), each
        assert each["state"] == "ok" or each["fix"] or "not looked at" in each["seen"], each
    assert told.document["ok"] is (told.exit_code == 0)
    assert told.exit_code == int(bool(told.those("failed", "unknown")))
    return told


def failing(mesh_trust: MeshTrust, environment: Mapping[str, str] | None = None) -> Pairs:
    """Check and subject of what has failed; nothing is left out because of it but of Vault's."""
    told = preflight(mesh_trust, environment)
    assert {subject for _, subject in told.those("unknown")} <= {"Vault"}
    return told.those("failed")

"""As many resources as one likes are registered at the same time."""

import pytest

from .project import Project


@pytest.mark.timeout(120)  # it used to hang
def test_more_registrations_than_the_engine_works_on(project: Project) -> None:
    """Each asks Vault for what is there, while all the others wait for the engine."""
    clusters = [f"cluster-{number:02}" for number in range(20)]
    project.give_all(
        {
            cluster: (
                "IntermediatePki",
                {"cluster": cluster, "ca_path": "pki/root/sign-intermediate"},
            )
            for cluster in clusters
        }
    )
    project.run("up", "--yes", "--skip-preview", "--parallel", "1")
    project.expect_no_changes()

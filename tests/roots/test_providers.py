"""Where the provider has Vault's address from makes no difference to what is set up with it."""

from .project import Project
from .test_generations import FIRST, keyed


def test_an_address_of_the_shell_and_one_that_is_not_known_yet(
    project: Project, mount: str
) -> None:
    root = {"root": ("RootPki", {**keyed(FIRST), "mount_path": mount, "protect": False})}
    project.give_all(root, address="of the shell")
    made = project.up()
    project.run("preview", "--expect-no-changes")

    # Of one that another resource is yet to tell a preview supposes that all may change.
    project.give_all(root, late=("address",), address="late")
    assert project.steps()["ready"] == "create"
    assert project.up() == made
    project.run("preview", "--expect-no-changes")

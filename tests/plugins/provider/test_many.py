"""A stack of many clusters, and so of many plugins, ends as well as one of a few."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml

from lab.toolchain import Toolchain
from tests.engine import engine_command, prepare_engine, stack_of_program

CLUSTERS = 25


@pytest.mark.soak
def test_all_plugins_of_a_stack_end_within_the_time_the_engine_has(
    toolchain: Toolchain, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The engine ends them one after the other, and calls it a crash where it gets to the end of
    its five seconds before it gets to the end of the plugins.
    """
    user = {"name": "user", "user": {"token": "none"}}
    contexts = {
        name: {"name": name, "context": {"cluster": name, "user": "user"}}
        for name in (f"c{number:02}" for number in range(CLUSTERS))
    }
    kubeconfig = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "users": [user],
            "clusters": [
                {"name": name, "cluster": {"server": "https://127.0.0.1:1"}} for name in contexts
            ],
            "contexts": list(contexts.values()),
        }
    )

    def program() -> None:
        for name in contexts:
            kubernetes.Provider(name, kubeconfig=kubeconfig, context=name)
        pulumi.export("clusters", len(contexts))

    engine = prepare_engine(tmp_path_factory.mktemp("engine"), toolchain)
    command = engine_command(engine, tmp_path)
    with stack_of_program(engine, command, "many", "many", program) as stack:
        done = stack.up()
        assert done.outputs["clusters"].value == CLUSTERS
        assert "prematurely" not in done.stdout + done.stderr
        assert done.summary.resource_changes == {"create": CLUSTERS + 1}
        again = stack.up(refresh=True)
    assert "prematurely" not in again.stdout + again.stderr

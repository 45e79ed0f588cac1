"""Releases in a program that the real engine runs."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.kubernetes.helm.charts import RELEASE, slow_chart
from tests.conformance.kubernetes.helm.conftest import Outsider
from tests.plugins.language.projects import CHECKOUT, Project

if TYPE_CHECKING:
    from lab.toolchain import Toolchain

CANARY = "a-canary-that-must-not-show"
PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
namespace = config.require("namespace")
cluster = kubernetes.Provider("cluster", kubeconfig=config.require("kubeconfig"))
options = pulumi.ResourceOptions(provider=cluster)
first = kubernetes.helm.v3.Release(
    "first",
    name="first",
    chart="./charts/example",
    namespace=namespace,
    timeout=config.get_int("timeout") or 60,
    values={
        "message": config.require("message"),
        "replicas": config.get_int("replicas") or 0,
        "token": config.require_secret("token"),
    },
    value_yaml_files=[pulumi.FileAsset("values.yaml")],
    opts=options,
)
second = kubernetes.helm.v3.Release(
    "second",
    chart="charts/example",
    namespace=namespace,
    values={"message": pulumi.Output.concat("after ", first.status.status)},
    opts=options,
)
pulumi.export("id", first.id)
pulumi.export("name", second.name)
pulumi.export("status", first.status)
pulumi.export("objects", first.resource_names)
"""


@pytest.fixture(scope="module")
def engine(
    toolchain: "Toolchain", helm: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """An environment in which `pulumi` finds this checkout's language host and plugin."""
    home = tmp_path_factory.mktemp("engine")
    plugin = (
        home / "home" / "plugins" / "resource-kubernetes-v4.34.2" / "pulumi-resource-kubernetes"
    )
    for launcher, module in (
        (home / "bin" / "pulumi-language-python", "language"),
        (plugin, "kubernetes"),
    ):
        launcher.parent.mkdir(parents=True)
        launcher.write_text(
            "#!/bin/sh\n"
            f"PYTHONPATH={shlex.quote(str(CHECKOUT))} exec {shlex.quote(sys.executable)} "
            f'-P -m lab.plugins.{module} "$@"\n'
        )
        launcher.chmod(0o755)
    (home / "state").mkdir()
    pulumi = toolchain["pulumi"].path
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    return {
        **kept,
        "PATH": os.pathsep.join((str(home / "bin"), str(pulumi.parent), os.environ["PATH"])),
        "MESH_TRUST_HELM": str(helm),
        "PULUMI_HOME": str(home / "home"),
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


@pytest.fixture
def project(
    engine: dict[str, str], tmp_path: Path, kubeconfig_path: Path, namespace: str
) -> Project:
    project = Project(tmp_path / "project", engine)
    project.write(PROGRAM)
    project.add("values.yaml", "more: 1\n")
    slow_chart(project.directory / "charts")
    project.make_stack()
    plain = {"kubeconfig": str(kubeconfig_path), "namespace": namespace, "message": "hello"}
    _configure(project, CANARY, **plain)
    return project


def _configure(project: Project, token: str = "", **plain: str) -> None:
    arguments = [part for key, value in plain.items() for part in ("--plaintext", f"{key}={value}")]
    if token:
        arguments += ["--secret", f"token={token}"]
    project.pulumi("config", "set-all", *arguments)


def _preview(project: Project) -> str:
    done = project.pulumi("preview", "--diff")
    assert CANARY not in done.stdout + done.stderr
    return done.stdout


def _releases(project: Project) -> dict[str, Any]:
    exported = json.loads(project.pulumi("stack", "export").stdout)
    resources = exported["deployment"]["resources"]
    return {
        resource["urn"].rpartition("::")[2]: resource
        for resource in resources
        if resource["type"] == RELEASE
    }


def test_from_the_first_preview_to_the_end(
    project: Project, namespace: str, outsider: Outsider
) -> None:
    first_preview = _preview(project)
    assert outsider.releases(namespace) == []
    up = project.up()
    assert CANARY not in up.stdout + up.stderr
    outputs = project.outputs()
    state = (Path(project.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))).rglob("*")
    assert all(CANARY not in path.read_text() for path in state if path.suffix == ".json")

    for line in (
        "            token   : [secret]",
        "            message: [unknown]",
        "    status : [unknown]",
        "    objects: [unknown]",
    ):
        assert f"{line}\n" in first_preview
    assert outputs["id"] == f"{namespace}/first"
    assert outputs["status"] == {
        "appVersion": "7.8",
        "chart": "example",
        "name": "first",
        "namespace": namespace,
        "revision": 1,
        "status": "deployed",
        "version": "1.0.0",
    }
    assert outputs["objects"] == {
        "ConfigMap/v1": ["first-configuration"],
        "Deployment.apps/apps/v1": [f"{namespace}/first"],
    }
    second = outputs["name"]
    assert second.startswith("second-")
    assert outsider.values(namespace, "first") == {
        "message": "hello",
        "replicas": 0,
        "token": CANARY,
        "more": 1,
    }
    assert outsider.values(namespace, second) == {"message": "after deployed"}
    project.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    # In the preview of an update the id stays known, the status is not.
    _configure(project, f"{CANARY}-too", message="changed")
    preview = _preview(project)
    for line in (
        f"        [id={namespace}/first]",
        '          ~ message: "hello" => "changed"',
        "          ~ token  : [secret] => [secret]",
        '          ~ message: "after deployed" => [unknown]',
        # The chart is not looked for, so which version of it is not said either.
        '      - version: "1.0.0"',
    ):
        assert f"{line}\n" in preview
    assert "replace" not in preview
    project.up()
    assert len(outsider.history(namespace, "first")) == 2

    outsider.run("uninstall", second, "--namespace", namespace)
    project.pulumi("refresh", "--yes", "--skip-preview")
    assert _releases(project).keys() == {"first"}
    project.up()
    assert outsider.status(namespace, second) == ""
    assert outsider.status(namespace, project.outputs()["name"]) == "deployed"
    destroyed = project.pulumi("destroy", "--yes", "--skip-preview")
    assert CANARY not in destroyed.stdout
    assert outsider.releases(namespace) == []


@pytest.mark.soak
def test_late_then_mended(project: Project, namespace: str, outsider: Outsider) -> None:
    _configure(project, replicas="1", timeout="4")

    failed = project.up(check=False)

    assert failed.returncode != 0
    assert CANARY not in failed.stdout + failed.stderr
    assert (
        'warning: Helm release "first" was created but has a failed status. Use the `helm` command '
        "to investigate the error, correct it, then retry. Reason: context deadline exceeded"
    ) in failed.stdout
    assert (
        f'Helm release "{namespace}/first" was created, but failed to initialize completely. Use '
        "Helm CLI to investigate: failed to become available within allocated timeout. Error: Helm "
        f"Release {namespace}/first: context deadline exceeded"
    ) in failed.stdout
    kept = _releases(project)
    assert kept["first"]["outputs"]["status"]["status"] == "failed"
    assert kept["first"]["initErrors"]
    # The next run upgrades what there is.
    _configure(project, replicas="0", timeout="60")
    project.up()
    assert outsider.status(namespace, "first") == "deployed"
    project.pulumi("destroy", "--yes", "--skip-preview")


def test_interrupted(project: Project, namespace: str, outsider: Outsider) -> None:
    _configure(project, replicas="1")
    with subprocess.Popen(
        ["pulumi", "--non-interactive", "--color=never", "up", "--yes", "--skip-preview"],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as engine:
        end = time.monotonic() + 40
        while outsider.status(namespace, "first") != "pending-install":
            assert time.monotonic() < end
            time.sleep(0.2)
        engine.send_signal(signal.SIGINT)
        printed, _ = engine.communicate(timeout=30)

    assert engine.returncode != 0
    assert "context canceled" in printed
    assert CANARY not in printed
    # What is there is in the state, and the stack is not locked.
    assert _releases(project)["first"]["outputs"]["status"]["status"] == "failed"
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert outsider.releases(namespace) == []


def test_import(project: Project, namespace: str, outsider: Outsider) -> None:
    chart = project.directory / "charts" / "example"
    outsider.run("install", "first", str(chart), "-n", namespace, "--set", "message=hello")

    done = project.pulumi(
        *("import", RELEASE, "first", f"{namespace}/first", "--yes", "--skip-preview"),
        *("--generate-code=false", "--protect=false", "--provider", _provider(project)),
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    imported = _releases(project)["first"]
    assert imported["id"] == f"{namespace}/first"
    assert imported["inputs"]["values"] == {"message": "hello"}
    assert imported["outputs"]["status"]["status"] == "deployed"


def _provider(project: Project) -> str:
    """Deploy the provider alone and return it as a command line names it."""
    project.pulumi("up", "--yes", "--skip-preview", "--target", "**cluster")
    exported = json.loads(project.pulumi("stack", "export").stdout)
    urns = [str(resource["urn"]) for resource in exported["deployment"]["resources"]]
    return "cluster=" + next(urn for urn in urns if urn.endswith("::cluster"))

"""The wheel, installed where no checkout is: what others' programs get of this project."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

import mesh_trust
from lab.directory import CHECKOUT, LabDirectory
from tests.commands import run_command
from tests.private_vault import PrivateVault

pytestmark = pytest.mark.soak  # all that the package needs is installed from its registry

PROGRAM = """
from collections.abc import Sequence

import pulumi
import pulumi_vault as vault

import mesh_trust
from mesh_trust import IntermediatePki, RootCa, RootPki


def trust(clusters: Sequence[str], opts: pulumi.ResourceOptions) -> RootPki:
    root = RootCa("root", {"common_name": "Mesh root", "protect": False})
    pki = RootPki(
        "root",
        {
            "certificate_pem": root.certificate_pem,
            "private_key_pem": root.private_key_pem,
            "protect": False,
        },
        opts=opts,
    )
    for cluster in clusters:
        IntermediatePki(cluster, {"cluster": cluster, "ca_path": pki.ca_path}, opts=opts)
    return pki


provider = vault.Provider("vault")
made = trust(["east", "west"], pulumi.ResourceOptions(providers=[provider]))
pulumi.export("caPath", made.ca_path)
pulumi.export("package", mesh_trust.__file__)
"""


def pip(python: Path | str, *arguments: str | Path) -> None:
    done = run_command(
        [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        Path(python).parent if isinstance(python, Path) else CHECKOUT,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: what a build leaves beside its sources would be in the next one."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    shutil.copytree(
        CHECKOUT / "components",
        source / "components",
        symlinks=True,
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
    )
    for name in ("pyproject.toml", "README.md", "Pulumi.yaml"):
        shutil.copy(CHECKOUT / name, source)
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", built, source)
    [wheel] = built.iterdir()
    return wheel


@pytest.fixture(scope="module")
def user(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's Python: the wheel, and what it brings along, in the versions tested here."""
    folder = tmp_path_factory.mktemp("user") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip(python, "install", "--constraint", CHECKOUT / "constraints.txt", wheel, "mypy")
    return python


@pytest.fixture
def shell(engine: LabDirectory, environment: dict[str, str], vault: PrivateVault) -> dict[str, str]:
    """Environment variables that lead to the engine and to Vault, and to nothing of a checkout."""
    leads_there = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.token}
    path = os.pathsep.join((str(engine.engine), os.environ["PATH"]))
    return {**environment, **leads_there, "PATH": path, "PYTHONSAFEPATH": "1"}


@pytest.fixture
def project(user: Path, shell: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """A project of the user's own, with a stack."""
    runtime = {"name": "python", "options": {"virtualenv": str(user.parents[1])}}
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "others", "runtime": runtime}))
    (tmp_path / "__main__.py").write_text(PROGRAM)
    pulumi("stack", "init", "test", folder=tmp_path, shell=shell)
    yield tmp_path
    pulumi("destroy", "--yes", "--skip-preview", "--remove", folder=tmp_path, shell=shell)


def pulumi(*arguments: str, folder: Path, shell: dict[str, str]) -> str:
    stack = () if arguments[:2] == ("stack", "init") else ("--stack", "test")
    done = run_command(["pulumi", *arguments, *stack, "--non-interactive"], folder, shell)
    assert done.returncode == 0, done.stdout
    return done.stdout


def said_by(python: Path, code: str) -> Any:
    """What a program of the user's prints, as JSON."""
    done = run_command([python, "-c", f"import json, mesh_trust\n{code}"], python.parent)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def test_everything_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    package = CHECKOUT / "components" / "mesh_trust"
    files = {
        each.relative_to(package.parent).as_posix()
        for each in package.rglob("*")
        if each.is_file() and "__pycache__" not in each.parts
    }
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        declaration = archive.read("mesh_trust/settings/declaration.yaml")
    assert names == files
    assert declaration == (CHECKOUT / "Pulumi.yaml").read_bytes()


def test_the_public_names_are_those_of_the_checkout(user: Path) -> None:
    there = said_by(
        user, "print(json.dumps({n: repr(getattr(mesh_trust, n)) for n in dir(mesh_trust)}))"
    )
    assert {name for name in there if not name.startswith("_")} >= set(mesh_trust.__all__)
    for name in mesh_trust.__all__:
        assert (
            there[name].partition(" at ")[0] == repr(getattr(mesh_trust, name)).partition(" at ")[0]
        )
    assert said_by(user, "print(json.dumps(mesh_trust.__all__))") == list(mesh_trust.__all__)


def test_every_module_can_be_imported(user: Path) -> None:
    """With what the metadata has brought along, and nothing else."""
    code = (
        "import importlib, pkgutil\n"
        "found = [m.name for m in pkgutil.walk_packages(mesh_trust.__path__, 'mesh_trust.')]\n"
        "[importlib.import_module(name) for name in found if not name.endswith('__main__')]\n"
        "print(json.dumps(found))"
    )
    assert "mesh_trust.operations.preflight" in said_by(user, code)


def test_the_command_comes_along(user: Path, tmp_path: Path) -> None:
    done = run_command([user.with_name("mesh-trust"), "--help"], tmp_path)
    here = run_command([Path(sys.executable).with_name("mesh-trust"), "--help"], tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout == here.stdout
    assert "preflight" in done.stdout


def test_the_command_looks_at_a_project_elsewhere(
    user: Path, project: Path, shell: dict[str, str], vault: PrivateVault
) -> None:
    """It knows the configuration's keys, which Pulumi.yaml of the checkout declares."""
    configuration = {
        "mesh-trust:development": True,
        "mesh-trust:vaultAddress": vault.address,
        "mesh-trust:kubeconfig": str(project / "no-kubeconfig"),
        "mesh-trust:clusters": [{"name": "east"}],
        "mesh-trust:vaultAdress": "",
    }
    (project / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": configuration}))

    done = run_command(
        [user.with_name("mesh-trust"), "--stack", "test", "preflight", "--json"], project, shell
    )

    found = {(each["check"], each["state"]) for each in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert ("vault-reachable", "ok") in found
    assert "vaultAddress" in done.stdout
    assert "vaultAdress" in done.stdout
    assert "no-kubeconfig" in done.stdout


def test_a_program_of_others_sets_a_trust_up(
    user: Path, project: Path, shell: dict[str, str], vault: PrivateVault
) -> None:
    assert "to create" in pulumi("preview", folder=project, shell=shell)
    pulumi("up", "--yes", "--skip-preview", folder=project, shell=shell)
    pulumi("preview", "--expect-no-changes", folder=project, shell=shell)

    outputs = json.loads(pulumi("stack", "output", "--json", folder=project, shell=shell))
    assert outputs["caPath"] == "pki/root/sign-intermediate"
    assert Path(outputs["package"]).is_relative_to(user.parents[1])
    assert {"pki_int_east/", "pki_int_west/"} <= set(
        vault.client.sys.list_mounted_secrets_engines()["data"]
    )


@pytest.mark.timeout(1500)  # the first check reads all of the SDKs
@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ('"ca_path": pki.ca_path', '"ca_path": 8200', 'has type "int"'),
        ('"common_name": "Mesh root"', '"comon_name": "Mesh root"', 'Extra key "comon_name"'),
        ("root.certificate_pem", "root.certificate", 'has no attribute "certificate"'),
        ("import IntermediatePki,", "import IntermediatePKI,", "IntermediatePKI"),
    ],
)
def test_types_arrive(user: Path, tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    program = tmp_path / "program.py"
    check: list[str | Path] = [
        user,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        user.parents[1] / "checked",
        program,
    ]

    program.write_text(PROGRAM)
    done = run_command(check, tmp_path)
    assert done.returncode == 0, done.stdout

    program.write_text(PROGRAM.replace(right, wrong))
    done = run_command(check, tmp_path)
    assert done.returncode == 1
    assert complaint in done.stdout


def test_pip_takes_the_repository(user: Path, tmp_path: Path) -> None:
    """As `pip install git+https://…` does; of what is committed."""
    folder = tmp_path / "installed"
    pip(user, "install", "--no-deps", "--target", folder, f"git+file://{CHECKOUT}")
    code = "import sys, json, mesh_trust.settings; print(json.dumps(mesh_trust.__file__))"
    done = subprocess.run(
        [user, "-c", code],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(json.loads(done.stdout)).is_relative_to(folder)
    assert (folder / "bin" / "mesh-trust").is_file()

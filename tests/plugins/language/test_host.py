import importlib.metadata
import signal
import subprocess
import sys
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import language_pb2 as language
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeStub

from tests.plugins.language.projects import CHECKOUT

ROOT = "/"


def program_info(directory: Path, **options: str) -> language.ProgramInfo:
    struct = Struct()
    struct.update(options)
    return language.ProgramInfo(
        root_directory=str(directory),
        program_directory=str(directory),
        entry_point=".",
        options=struct,
    )


def own_info(directory: Path, **options: str) -> language.ProgramInfo:
    return program_info(directory, virtualenv=sys.prefix, **options)


@pytest.fixture
def virtualenv(tmp_path: Path) -> Path:
    """A virtual environment with two distributions, one of them with a plugin."""
    directory = tmp_path / "venv"
    venv.create(directory, symlinks=True)
    (packages,) = directory.glob("lib/python*/site-packages")
    for name in ("pulumi-acme", "plain"):
        info = packages / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (packages / "pulumi_acme").mkdir()
    (packages / "pulumi_acme" / "__init__.py").write_text("raise SystemExit('was imported')\n")
    (packages / "pulumi_acme" / "pulumi-plugin.json").write_text(
        '{"resource": true, "name": "acme", "version": "1.0.0-beta.1"}'
    )
    return directory


def test_plugin_info(host: LanguageRuntimeStub) -> None:
    assert host.GetPluginInfo(Empty()).version == importlib.metadata.version("pulumi")


def test_about(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    about = host.About(language.AboutRequest(info=own_info(tmp_path, typechecker="mypy")))
    assert Path(about.executable) == Path(sys.prefix, "bin", "python")
    assert about.version == ".".join(map(str, sys.version_info[:3]))
    assert about.metadata["toolchain"] == "Pip"
    assert about.metadata["typechecker"] == "Mypy"


def test_about_without_a_project(host: LanguageRuntimeStub) -> None:
    assert host.About(language.AboutRequest()).executable


def test_required_packages_of_this_project(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    request = language.GetRequiredPackagesRequest(info=own_info(tmp_path))
    packages = {package.name: package for package in host.GetRequiredPackages(request).packages}
    assert set(packages) == {"kubernetes", "random", "tls", "vault"}
    for name, package in packages.items():
        assert package.kind == "resource"
        assert package.version == f"v{importlib.metadata.version(f'pulumi-{name}')}"


def test_required_packages_of_a_virtual_environment(
    host: LanguageRuntimeStub, virtualenv: Path
) -> None:
    info = program_info(virtualenv.parent, virtualenv="venv")
    request = language.GetRequiredPackagesRequest(info=info)
    (package,) = host.GetRequiredPackages(request).packages
    assert (package.name, package.version) == ("acme", "v1.0.0-beta.1")


def test_program_dependencies(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    request = language.GetProgramDependenciesRequest(info=own_info(tmp_path))
    direct = {found.name for found in host.GetProgramDependencies(request).dependencies}
    request.transitiveDependencies = True
    every = {
        found.name: found.version for found in host.GetProgramDependencies(request).dependencies
    }
    assert direct < set(every)
    assert every["pulumi"] == importlib.metadata.version("pulumi")


def test_missing_virtual_environment_is_one_line(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    info = program_info(tmp_path, virtualenv="gone")
    with pytest.raises(grpc.RpcError) as refused:
        host.GetRequiredPackages(language.GetRequiredPackagesRequest(info=info))
    assert refused.value.details() == (
        f"runtime option 'virtualenv' is 'gone', but {tmp_path / 'gone'} does not exist: "
        "run `pulumi install` to make it"
    )


@pytest.mark.parametrize(
    ("operation", "request_message"),
    [
        ("Pack", language.PackRequest()),
        ("GenerateProgram", language.GenerateProgramRequest()),
        ("GetRequiredPlugins", language.GetRequiredPluginsRequest()),
    ],
)
def test_unsupported_operation_is_named(
    host: LanguageRuntimeStub, operation: str, request_message: object
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        getattr(host, operation)(request_message)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert f"does not support {operation}" in str(refused.value)


def test_unsupported_kinds_of_run(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    info = own_info(tmp_path)
    with pytest.raises(grpc.RpcError, match="debugger"):
        host.Run(language.RunRequest(info=info, attach_debugger=True))


def test_folder_without_a_policy_pack(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    info = own_info(tmp_path)
    with pytest.raises(grpc.RpcError, match="no Python policy pack"):
        list(host.RunPlugin(language.RunPluginRequest(info=info, kind="analyzer")))


def test_install_makes_the_virtual_environment(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    info = program_info(tmp_path, virtualenv="venv")
    list(host.InstallDependencies(language.InstallDependenciesRequest(info=info)))
    about = host.About(language.AboutRequest(info=info))
    assert Path(about.executable) == tmp_path / "venv" / "bin" / "python"


def test_failing_install_is_an_error_with_its_output(
    host: LanguageRuntimeStub, virtualenv: Path
) -> None:
    # This virtual environment has no pip.
    (virtualenv.parent / "requirements.txt").touch()
    info = program_info(virtualenv.parent, virtualenv="venv")
    responses = host.InstallDependencies(language.InstallDependenciesRequest(info=info))
    assert b"No module named pip" in next(iter(responses)).stderr
    with pytest.raises(grpc.RpcError, match="exited with 1"):
        list(responses)


def test_plugin_output_and_exit_code(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import os, sys\n"
        "print(sys.argv[1:], os.environ['COLOUR'], os.getcwd())\n"
        "sys.exit('failed')\n"
    )
    request = language.RunPluginRequest(
        info=own_info(tmp_path), kind="resource", args=["-x", "1"], env=["COLOUR=a=b"], pwd=ROOT
    )
    responses = list(host.RunPlugin(request))
    assert b"".join(response.stdout for response in responses) == b"['-x', '1'] a=b /\n"
    assert b"".join(response.stderr for response in responses) == b"failed\n"
    assert responses[-1].WhichOneof("output") == "exitcode"
    assert responses[-1].exitcode == 1


def test_folder_without_a_plugin(host: LanguageRuntimeStub, tmp_path: Path) -> None:
    with pytest.raises(grpc.RpcError, match="is no Python plugin"):
        list(host.RunPlugin(language.RunPluginRequest(info=own_info(tmp_path), pwd=ROOT)))


def test_plugin_outlives_cancelled_programs_and_ends_with_its_children(
    host: LanguageRuntimeStub, tmp_path: Path
) -> None:
    (tmp_path / "__main__.py").write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    running = host.RunPlugin(language.RunPluginRequest(info=own_info(tmp_path), pwd=ROOT))
    child = psutil.Process(int(next(iter(running)).stdout))
    host.Cancel(Empty())
    assert child.is_running()
    running.cancel()  # type: ignore[no-untyped-call]
    child.wait(timeout=10)
    assert not child.is_running()


def await_connection(pid: int, port: int) -> None:
    """Wait until a process has connected to a port, as a host does to watch its engine."""
    deadline = time.monotonic() + 15
    while not any(
        connection.status == psutil.CONN_ESTABLISHED and connection.raddr.port == port
        for connection in psutil.Process(pid).net_connections()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_flags_of_the_engine_are_accepted() -> None:
    engine = grpc.server(ThreadPoolExecutor(1))
    port = engine.add_insecure_port("127.0.0.1:0")
    engine.start()
    flags = ["--logtostderr", "-v=9", "--tracing", "http://localhost:9411", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.plugins.language", *flags],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    own_port = int(process.stdout.readline())
    await_connection(process.pid, port)
    with grpc.insecure_channel(f"127.0.0.1:{own_port}") as channel:
        assert LanguageRuntimeStub(channel).GetPluginInfo(Empty(), timeout=10).version
    # An engine that is gone has no further use for its language host.
    engine.stop(grace=1).wait()
    _, stderr = process.communicate(timeout=15)
    assert (process.returncode, stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_quietly(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.plugins.language"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0

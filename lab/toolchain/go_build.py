"""Builds tools from the pinned Go modules."""

import hashlib
import re
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from .catalog import ARCHITECTURE, OS, GoBuild
from .places import executables, home_directory, path_folders
from .tools import ToolchainError

MINIMUM_GO = Version("1.26")
_USUAL_FOLDER = Path("/usr/local/go/bin")
_VERSION = re.compile(r"go(\d+\.\d+(?:\.\d+)?)\S* (\S+)")
_VERSION_TIMEOUT_SECONDS = 20
_LINES_SHOWN = 8
# A user's own choices would be built under the key of the usual build. Nothing is left empty here
# that can be said, because empty variables are taken from the file that `go env -w` writes.
_SETTINGS = {
    "CGO_ENABLED": "0",
    "GOAMD64": "v1",
    "GOARCH": ARCHITECTURE,
    "GOARM64": "v8.0",
    "GOEXPERIMENT": "",
    "GOFIPS140": "off",
    "GOFLAGS": "-mod=readonly",
    "GOOS": OS,
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


@dataclass(frozen=True)
class Go:
    """A Go installation that is new enough."""

    executable: Path
    version: str
    """As `go version` gives it, with operating system and architecture."""


def find_go(environment: Mapping[str, str], wanted_for: str) -> Go:
    """The first Go on PATH, or in its usual place, that is new enough.

    Raises:
        ToolchainError: there is none, or none that is new enough.
    """
    need = f"{wanted_for} has to be built, which needs Go {MINIMUM_GO} or newer"
    remedy = "install it from https://go.dev/dl, or install the tool itself"
    too_old: list[tuple[Version, Path]] = []
    silent: list[Path] = []
    for executable in executables("go", [*path_folders(environment), _USUAL_FOLDER]):
        said = _VERSION.search(_version_answer(executable, environment))
        if said is None:
            silent.append(executable)
        elif Version(said[1]) >= MINIMUM_GO:
            return Go(executable, said[0])
        else:
            too_old.append((Version(said[1]), executable))
    if too_old:
        version, executable = max(too_old)
        raise ToolchainError(f"{need}, and {executable} is {version}; {remedy}")
    if silent:
        raise ToolchainError(f"{need}, and {silent[0]} does not say its version; {remedy}")
    raise ToolchainError(f"{need}, and there is no `go` on PATH; {remedy}")


def _version_answer(executable: Path, environment: Mapping[str, str]) -> str:
    try:
        return subprocess.run(
            [executable, "version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_SECONDS,
            check=False,
            # A Go that fetched another Go would not be the one that was looked at.
            env={**environment, "GOTOOLCHAIN": "local"},
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def content_key(build: GoBuild) -> str:
    """Names a build by what decides it: sources, pins, flags and the machine's kind.

    Go's version is not among them: a build stays good when Go is upgraded or removed.
    """
    digest = hashlib.sha256()
    for path in sorted(filter(_is_source, build.module.rglob("*"))):
        digest.update(f"{path.relative_to(build.module)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    target = f"{OS}/{ARCHITECTURE}"
    digest.update("\0".join([target, *_arguments(build, Path("executable"))]).encode())
    return digest.hexdigest()[:24]


def _is_source(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".go" or path.name in ("go.mod", "go.sum"))


def go_build(
    build: GoBuild,
    go: Go,
    executable: Path,
    log: Path,
    environment: Mapping[str, str],
    step: Callable[[str], None],
) -> None:
    """Builds `executable`; Go's version and what the compiler says go to `log`.

    What was compiled before an interruption is in Go's own cache and is not compiled again.

    Raises:
        ToolchainError: the build failed; its last lines are in the message. Or the user has no home
            folder.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    last_lines: deque[str] = deque(maxlen=_LINES_SHOWN)
    packages = 0
    step("starting Go")
    with (
        log.open("w") as log_file,
        subprocess.Popen(
            [go.executable, *_arguments(build, executable)],
            cwd=build.module,
            env=build_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        log_file.write(f"{go.version}\n")
        assert process.stdout is not None
        try:
            for line in process.stdout:
                log_file.write(line)
                last_lines.append(line.strip())
                if line.startswith("go: downloading"):
                    step("downloading modules")
                else:
                    packages += 1
                    step(f"compiling, {packages} packages")
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        shown = "\n  ".join(last_lines)
        raise ToolchainError(
            f"building {executable.name} failed; see {log}. It ends with:\n  {shown}"
        )


def _arguments(build: GoBuild, executable: Path) -> list[str]:
    stamps = [f"-X {variable}={value}" for variable, value in sorted(build.stamps.items())]
    # Without symbol tables and paths: smaller, and the same wherever it is built. -v names each
    # package once it is compiled.
    flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-v"]
    linker = " ".join(["-s", "-w", *stamps])
    return ["build", *flags, f"-ldflags={linker}", "-o", str(executable), build.package]


def build_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What Go is run with: settings of the lab's own, whatever the user's are.

    Raises:
        ToolchainError: the user has no home folder.
    """
    variables = {**environment, "HOME": str(home_directory(environment)), **_SETTINGS}
    # Go refuses to work with a relative one.
    if not Path(variables.get("XDG_CACHE_HOME", "")).is_absolute():
        variables.pop("XDG_CACHE_HOME", None)
    return variables

"""Builds tools from the pinned Go modules."""

import hashlib
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from .catalog import GoBuild
from .tools import ToolchainError

MINIMUM_GO = Version("1.26")
_USUAL_PLACE = Path("/usr/local/go/bin/go")
_LINES_SHOWN = 8
_TARGET_VARIABLES = ("GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOFIPS140")


@dataclass(frozen=True)
class Go:
    """A Go installation that is new enough."""

    executable: Path
    version: str
    """As `go version` gives it, with operating system and architecture."""


def find_go(environment: Mapping[str, str], wanted_for: str) -> Go:
    """The machine's Go.

    Raises:
        ToolchainError: there is none, or it is too old.
    """
    need = f"{wanted_for} has to be built, which needs Go {MINIMUM_GO} or newer"
    remedy = "install it from https://go.dev/dl, or install the tool itself"
    found = shutil.which("go", path=environment.get("PATH")) or (
        str(_USUAL_PLACE) if _USUAL_PLACE.exists() else None
    )
    if found is None:
        raise ToolchainError(f"{need}, and there is no `go` on PATH; {remedy}")
    # GOTOOLCHAIN=local: a Go that fetched another Go would not be the one that was looked at.
    answer = subprocess.run(
        [found, "version"],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "GOTOOLCHAIN": "local"},
    )
    version = re.search(r"go(\d+\.\d+(?:\.\d+)?)\S* (\S+)", answer.stdout)
    if version is None:
        raise ToolchainError(f"{need}, and {found} does not say its version; {remedy}")
    if Version(version[1]) < MINIMUM_GO:
        raise ToolchainError(f"{need}, and {found} is {version[1]}; {remedy}")
    return Go(Path(found), version[0])


def content_key(build: GoBuild, go: Go) -> str:
    """Names a build by all that decides its result: sources, pins, flags and compiler."""
    digest = hashlib.sha256()
    for path in sorted(build.module.iterdir()):
        digest.update(f"{path.name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update("\0".join([go.version, *_arguments(build, Path("executable"))]).encode())
    return digest.hexdigest()[:24]


def go_build(
    build: GoBuild,
    go: Go,
    executable: Path,
    log: Path,
    environment: Mapping[str, str],
    step: Callable[[str], None],
) -> None:
    """Builds `executable`; what the compiler says goes to `log`.

    What was compiled before an interruption is in Go's own cache and is not compiled again.

    Raises:
        ToolchainError: the build failed; its last lines are in the message.
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
            env=_build_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
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


def _build_environment(environment: Mapping[str, str]) -> dict[str, str]:
    # A user's own choice of a target would be built under the key of this machine's.
    kept = {name: value for name, value in environment.items() if name not in _TARGET_VARIABLES}
    return {
        **kept,
        "CGO_ENABLED": "0",
        "GOFLAGS": "",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }

"""Installs Debian packages, with nothing of theirs started."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .places import path_folders, system_folders
from .service_policy import ServicePolicy
from .tools import ToolchainError

_OPTIONS = (
    "--yes",
    "--no-install-recommends",
    # A package of the user's that stands in the way stays.
    "--no-remove",
    "-o",
    "DPkg::Lock::Timeout=120",
    # Configuration that the user has written stays as it is, without a question.
    "-o",
    "Dpkg::Options::=--force-confdef",
    "-o",
    "Dpkg::Options::=--force-confold",
)
_STEPS = (
    (re.compile(r"(Get|Hit|Ign|Err):"), "downloading"),
    (re.compile(r"(Selecting|Preparing|Unpacking) "), "unpacking"),
    (re.compile(r"(Setting up|Processing) "), "setting up"),
)
_POLL_SECONDS = 0.2


class Apt:
    """The packages of the system below `root`."""

    def __init__(self, environment: Mapping[str, str], root: Path) -> None:
        self._root = root
        self._policy = ServicePolicy(root)
        folders = [*path_folders(environment), *system_folders(root)]
        path = os.pathsep.join(map(str, folders))
        self._environment = {
            **environment,
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C",
            # dpkg refuses to work where the folders of the system's own programs are not on it.
            "PATH": path,
        }
        self._executable = shutil.which("apt-get", path=path)
        self._descriptor: int | None = None

    @property
    def is_there(self) -> bool:
        """Whether the system has it."""
        return self._executable is not None

    @property
    def may_be_at_work(self) -> bool:
        """Whether another run installs packages, or was killed while it did."""
        return self._policy.is_changed()

    @contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Holds the system against other runs, and clears away what a killed one left.

        Raises:
            ToolchainError: what stood in the place of the services' policy cannot be put back.
            OSError: the lock cannot be had.
        """
        # One for the machine, whose packages are shared by users with caches of their own.
        lock = self._root / "run/mesh-trust-packages.lock"
        # Not a FileLock: apt-get inherits this one, and holds it on when the run is killed.
        self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            self._policy.put_back()
            yield
        finally:
            os.close(self._descriptor)
            self._descriptor = None

    def install(self, packages: Sequence[str], log: Path, step: Callable[[str], None]) -> None:
        """Installs `packages`, to be called with the system locked; what is said goes to `log`.

        Their services are neither started nor left to be started with the system.

        Raises:
            ToolchainError: it failed; its last line is in the message.
            OSError: the log or the services' policy cannot be written.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        install = ("install", *_OPTIONS, "--", *packages)
        with self._policy.nothing_starts():
            if not self._has_lists() or self._run(install, log, step) != 0:
                step("updating the lists of packages")
                # What of it fails for one source only does not matter, if the packages are there.
                self._run(("update",), log, step)
                if self._run(install, log, step) != 0:
                    raise ToolchainError(f"apt-get failed ({_reason(log)}); see {log}")
            self._leave_disabled(packages, log)

    def _has_lists(self) -> bool:
        return any((self._root / "var/lib/apt/lists").glob("*_Packages*"))

    def _run(self, arguments: Sequence[str], log: Path, step: Callable[[str], None]) -> int:
        assert self._executable is not None
        assert self._descriptor is not None
        with log.open("a") as output, log.open(errors="replace") as said:
            said.seek(0, os.SEEK_END)
            # It writes to the file itself and is out of the terminal's reach: half-installed
            # packages are worse than a wait, and than an end of this run.
            process = subprocess.Popen(
                [self._executable, *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[self._descriptor],
            )
            try:
                while process.poll() is None:
                    for line in said:
                        _tell(line, step)
                    time.sleep(_POLL_SECONDS)
            except BaseException:
                # apt-get ends at once while it downloads, and after the packages that are at hand
                # once it installs.
                process.send_signal(signal.SIGINT)
                step("waiting for apt-get to end what it has begun")
                while process.returncode is None:
                    with suppress(KeyboardInterrupt):
                        process.wait()
                raise
        return process.returncode

    def _leave_disabled(self, packages: Sequence[str], log: Path) -> None:
        """Has the services of `packages` not start with the system, which Debian's would."""
        if not shutil.which("systemctl", path=self._environment["PATH"]):
            return
        unit = re.compile(r"/systemd/system/([^/]+\.(?:service|socket))")
        files = self._ask(log, "dpkg-query", "--listfiles", *packages).splitlines()
        if units := sorted({found[1] for file in files if (found := unit.search(file))}):
            self._ask(log, "systemctl", "disable", *units)

    def _ask(self, log: Path, *command: str) -> str:
        with log.open("a") as output:
            try:
                return subprocess.run(
                    command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    text=True,
                    check=True,
                ).stdout
            except (OSError, subprocess.CalledProcessError) as error:
                raise ToolchainError(
                    f"packages are installed, but their services may start with the system: {error}"
                ) from error


def _tell(line: str, step: Callable[[str], None]) -> None:
    for pattern, description in _STEPS:
        if pattern.match(line):
            step(description)


def _reason(log: Path) -> str:
    """The last error, or else the last line."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E: ")]
    return (errors or lines or ["it says nothing"])[-1]

"""The `helm` command: finding it, running it, ending it."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab.plugins.kubernetes.credential_files import credentials_folder
from lab.plugins.kubernetes.helm.settings import HelmSettings
from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Properties

_VARIABLE = "MESH_TRUST_HELM"
_OLDEST = (3, 17)  # the first to know --take-ownership
_VERSION = re.compile(r"v(\d+)\.(\d+)\.")
_VERSION_SECONDS = 30
# What helm needs to write down that it was ended, on a server that answers slowly.
_GRACE_SECONDS = 30.0
_ERROR = re.compile(r"^Error: (?:INSTALLATION FAILED: |UPGRADE FAILED: )?", re.MULTILINE)
_CANCELLED = "context canceled"  # helm's own words
# The other variables of helm are the user's own use of it: another cluster, another namespace.
_KEPT_VARIABLE = "HELM_DRIVER_SQL_CONNECTION_STRING"


class HelmError(Exception):
    """A command that failed; `str()` is helm's own reason, `output` what it printed before."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


class Helm:
    """Runs helm against one cluster; safe to use from many threads."""

    def __init__(self, settings: HelmSettings, kubeconfig: Properties) -> None:
        self.settings = settings
        self._kubeconfig = kubeconfig
        self._lock = threading.Lock()
        self._running: dict[subprocess.Popen[bytes], float] = {}
        self._cancelled = False
        self._executable: str | None = None
        self._environment: dict[str, str] | None = None

    def require(self) -> str:
        """Return the path of helm; raises `ProviderError` where there is none, or no usable one."""
        with self._lock:
            if self._executable is None:
                self._executable = _usable_executable()
            return self._executable

    def run(
        self,
        *arguments: str,
        content: bytes = b"",
        environment: Mapping[str, str] | None = None,
        grace_seconds: float = 0.0,
        after_cancelling: bool = False,
    ) -> str:
        """Run a command to its end and return what it printed.

        `content` is its standard input, the place for what nobody should see. Where everything is
        cancelled, helm has half a minute to write that down, and `grace_seconds` on top; commands
        that begin later are refused unless they are for `after_cancelling`.

        Raises `HelmError`, and `ProviderError` where helm cannot be run at all.
        """
        command = [self.require(), *arguments]
        settings = {**self._settings(), **(environment or {})}
        with self._started(command, settings, grace_seconds, after_cancelling) as process:
            output, errors = process.communicate(content)
        printed = output.decode(errors="replace")
        if process.returncode != 0:
            reason = _reason(process.returncode, errors.decode(errors="replace"))
            raise HelmError(reason, printed)
        return printed

    def cancel(self) -> None:
        """End what runs, as the user's interrupt does: helm itself marks the release as failed."""
        with self._lock:
            self._cancelled = True
            running = dict(self._running)
        for process, grace_seconds in running.items():
            process.terminate()
            threading.Thread(target=_end, args=(process, grace_seconds), daemon=True).start()

    @contextmanager
    def _started(
        self,
        command: list[str],
        environment: Mapping[str, str],
        grace_seconds: float,
        after_cancelling: bool,
    ) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._cancelled and not after_cancelling:
                raise HelmError(_CANCELLED)
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
            )
            if not after_cancelling:
                self._running[process] = grace_seconds
        try:
            with process:
                yield process
        finally:
            with self._lock:
                self._running.pop(process, None)

    def _settings(self) -> dict[str, str]:
        with self._lock:
            if self._environment is None:
                self._environment = _environment(self.settings, self._kubeconfig)
            return self._environment


def _usable_executable() -> str:
    named = os.environ.get(_VARIABLE)
    found = shutil.which(named or "helm")
    if found is None:
        if named:
            raise ProviderError(f"{_VARIABLE}: there is no executable {named}")
        raise ProviderError(
            f"a Helm release needs the helm command, and there is none: install Helm 3 on PATH, or "
            f"set {_VARIABLE} to its path"
        )
    try:
        answer = subprocess.run(
            [found, "version", "--template", "{{.Version}}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_VERSION_SECONDS,
            env=_own_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProviderError(f"{found} does not say its version: {type(error).__name__}") from error
    version = _VERSION.match(answer.stdout)
    if version is None or not _OLDEST <= (int(version[1]), int(version[2])) < (4,):
        oldest = ".".join(map(str, _OLDEST))
        raise ProviderError(
            f"{found} is {answer.stdout.strip() or 'of no known version'}; "
            f"Helm {oldest} or newer, but no Helm 4, is needed"
        )
    return found


def _own_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HELM_") or name == _KEPT_VARIABLE
    }


def _environment(settings: HelmSettings, kubeconfig: Properties) -> dict[str, str]:
    folder = Path(tempfile.mkdtemp(prefix="helm-", dir=credentials_folder()))
    path = folder / "kubeconfig"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(kubeconfig, file)
    return {
        **_own_environment(),
        "HELM_CACHE_HOME": str(folder / "cache"),
        "HELM_DRIVER": settings.driver,
        "HELM_PLUGINS": settings.plugins,
        "HELM_REGISTRY_CONFIG": settings.registry_config,
        "HELM_REPOSITORY_CACHE": settings.repository_cache,
        "HELM_REPOSITORY_CONFIG": settings.repository_config,
        "KUBECACHEDIR": str(folder / "discovery"),
        "KUBECONFIG": str(path),
    }


def _reason(status: int, errors: str) -> str:
    begin = _ERROR.search(errors)
    if begin is not None:
        return errors[begin.end() :].strip()
    if status == -signal.SIGTERM:
        return _CANCELLED  # before helm could say so itself
    if status < 0:
        return f"helm was ended by signal {-status}"
    return errors.strip().rpartition("\n")[2] or f"helm ended with status {status}"


def _end(process: "subprocess.Popen[bytes]", grace_seconds: float) -> None:
    try:
        process.wait(_GRACE_SECONDS + grace_seconds)
    except subprocess.TimeoutExpired:
        process.kill()

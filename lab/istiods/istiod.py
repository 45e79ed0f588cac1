"""istiod and the agent beside it, as processes that see a folder of the lab only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lab.directory import CHECKOUT
from lab.istiods.pod import CA_FOLDER, Pod, pod_variables
from lab.nodes.holding import hold, run

SERVICE_ACCOUNT = PurePosixPath("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod has its service account's token."""

_FOLDERS = (CA_FOLDER, SERVICE_ACCOUNT, PurePosixPath("/var/run/secrets/istio-dns"))
"""What the two expect to be there, the last one for istiod's own serving certificate."""

_OF_THE_MACHINE = (PurePosixPath("/etc/hosts"), PurePosixPath("/etc/resolv.conf"))
# Who is not root is it in a namespace of users.
_AS_ROOT = () if os.geteuid() == 0 else ("unshare", "--map-root-user")
_GRACE_SECONDS = 5.0
_SIDECAR, _INIT, _ISTIOD = "sidecar", "init-container", "istiod"


def why_not() -> str | None:
    """Say why a process of this user cannot be shown a folder as if it were all; None if it can."""
    if not _AS_ROOT:
        return None
    try:
        run(*_AS_ROOT, "true")
    except (RuntimeError, OSError) as error:
        return str(error)
    return None


@dataclass(frozen=True)
class Executables:
    """Absolute paths of what is run."""

    istiod: Path
    agent: Path


class Istiod:
    """The processes of one pod of istiod's; `root` is the folder that they see.

    As in a pod, istiod is not started before the agent has got it a CA, where there is an agent.
    Unlike with a Deployment, the former processes end before the next ones are started.
    """

    def __init__(
        self,
        root: Path,
        executables: Executables,
        api_server: Mapping[str, str],
        flags: Sequence[str],
    ) -> None:
        """Run nothing yet; `flags` are for istiod, `api_server` is for both environments."""
        self._root = root
        self._executables = executables
        self._api_server = api_server
        self._flags = flags
        self._pod: Pod | None = None
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._has_ca = False

    @property
    def awaits_ca(self) -> bool:
        """Whether istiod is not started yet, as its agent has not got it a CA."""
        return self._pod is not None and not self._has_ca

    def prepare(self) -> None:
        """Make what a container would find: folders, and how names are looked up."""
        for folder in _FOLDERS:
            self._inside(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in _OF_THE_MACHINE:
            if Path(file).exists():
                self._inside(file).write_bytes(Path(file).read_bytes())

    def write_account(self, token: str, authority: bytes) -> None:
        """Put the service account's token and the cluster's CA (PEM) where a pod has them."""
        for name, content in {"token": token.encode(), "ca.crt": authority}.items():
            path = self._inside(SERVICE_ACCOUNT / name)
            partial = path.with_name(f".{name}")
            partial.touch(mode=0o600)
            partial.write_bytes(content)
            partial.rename(path)

    def become(self, pod: Pod, authority: Mapping[str, bytes]) -> None:
        """Run what the pod is to run, and start again what has ended.

        `authority` has the files of the Secret `cacerts`, which a pod without an agent mounts.
        """
        if pod != self._pod:
            self.end()
            self._pod, self._has_ca = pod, not pod.has_agent
            self._forget_ca(pod)
            if not pod.has_agent:
                self._write_ca(authority)
        if not self._has_ca:
            self._has_ca = self._exit_code(_INIT) == 0
        if not self._has_ca:
            self._keep(_INIT, pod_variables(pod.name), self._executables.agent, _INIT)
            return
        if pod.has_agent:
            self._keep(_SIDECAR, pod_variables(pod.name), self._executables.agent, _SIDECAR)
        arguments = [*pod.arguments, *self._flags]
        self._keep(_ISTIOD, pod.environment, self._executables.istiod, *arguments)

    def end(self) -> None:
        """End all of it."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running = {}

    def _forget_ca(self, pod: Pod) -> None:
        """Begin with an empty folder for the CA, as a new pod does, at both of its places."""
        folder, link = self._inside(CA_FOLDER), self._inside(pod.shared)
        shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        if link == folder:
            return
        link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(CA_FOLDER)

    def _write_ca(self, authority: Mapping[str, bytes]) -> None:
        for name, content in authority.items():
            path = self._inside(CA_FOLDER / name)
            path.touch(mode=0o600)
            path.write_bytes(content)

    def _exit_code(self, name: str) -> int | None:
        process = self._running.get(name)
        return None if process is None else process.poll()

    def _keep(
        self, name: str, environment: Mapping[str, str], executable: Path, *arguments: str
    ) -> None:
        if name in self._running and self._exit_code(name) is None:
            return
        inside = (*_AS_ROOT, sys.executable, "-P", "-m", "lab.istiods.inside", str(self._root))
        self._running[name] = hold(
            [*inside, str(executable), *arguments],
            {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(CHECKOUT)}
            | dict(environment)
            | dict(self._api_server),
        )

    def _inside(self, path: PurePosixPath) -> Path:
        return self._root / path.relative_to("/")

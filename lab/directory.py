"""Where the lab keeps what: every path under its one directory."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

CHECKOUT = Path(__file__).resolve().parent.parent
"""The checkout that this lab belongs to."""


@dataclass(frozen=True)
class LabDirectory:
    """The paths of one lab. `root` is absolute; only its owner may look inside."""

    root: Path

    @property
    def lock(self) -> Path:
        """Held by who starts, stops or deletes the lab; its presence marks a lab's directory."""
        return self.root / "mesh-trust-lab.lock"

    @property
    def memory(self) -> Path:
        """What the lab remembers: its clusters and ports (JSON)."""
        return self.root / "lab.json"

    @property
    def servers(self) -> Path:
        """The servers as the last start has described them (JSON)."""
        return self.root / "servers.json"

    @property
    def records(self) -> Path:
        """Which process was started for what, one file (JSON) for each name."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.root / "log"

    @property
    def etcd(self) -> Path:
        """Data and certificates of etcd."""
        return self.root / "etcd"

    @property
    def kubeconfig(self) -> Path:
        """Administrator's access to every cluster, one context each."""
        return self.root / "kubeconfig"

    @property
    def vault(self) -> Path:
        """Data, certificates and configuration of Vault."""
        return self.root / "vault"

    @property
    def vault_authority(self) -> Path:
        """Certificate (PEM) of the CA that vouches for Vault's listener."""
        return self.vault / "ca.crt"

    @property
    def vault_root_token(self) -> Path:
        """Vault's root token."""
        return self.vault / "root-token"

    @property
    def installed_vault_token(self) -> Path:
        """Root token of the development Vault in the management cluster, for a user's shell."""
        return self.vault / "installed-root-token"

    @property
    def vault_unseal_key(self) -> Path:
        """The one share of Vault's unseal key."""
        return self.vault / "unseal-key"

    @property
    def commands(self) -> Path:
        """Folder for a user's PATH: a `pulumi` that works with this lab."""
        return self.root / "bin"

    @property
    def engine(self) -> Path:
        """The engine itself, and beside it its language host where that is ours."""
        return self.root / "engine"

    @property
    def pulumi_home(self) -> Path:
        """The engine's private home: plugins and credentials."""
        return self.root / "pulumi-home"

    @property
    def pulumi_state(self) -> Path:
        """The engine's file backend."""
        return self.root / "pulumi-state"

    @property
    def passphrase(self) -> Path:
        """Passphrase that encrypts the secrets in the stacks' states."""
        return self.root / "passphrase"

    @property
    def project(self) -> Path:
        """Copy of the project's own file and of its stack's configuration, which gets the salt."""
        return self.root / "project"

    def log(self, process: str) -> Path:
        """Return the path of a process's log."""
        return self.logs / f"{process}.log"

    def cluster(self, name: str) -> Path:
        """Return the folder of a cluster's certificates and keys."""
        return self.root / "clusters" / name

    @property
    def images(self) -> Path:
        """Archives of the nodes' container images."""
        return self.root / "images"

    @property
    def volumes(self) -> Path:
        """The volumes of pods, a folder each."""
        return self.root / "volumes"

    def node(self, cluster: str) -> Path:
        """Return the folder of a cluster's node."""
        return self.root / "nodes" / cluster

    def istiod(self, cluster: str) -> Path:
        """Return the folder of a cluster's istiod, where that is a process of this machine."""
        return self.root / "istiods" / cluster

    def create(self) -> None:
        """Make the directory and what must exist in it, closed to everyone but its owner.

        Raises:
            LabError: the directory is there already, and is not a lab's.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.lock.exists() and any(self.root.iterdir()):
            raise LabError(
                f"{self.root} is not empty and not a lab's directory: choose another (LAB_DIR)"
            )
        self.root.chmod(0o700)
        self.lock.touch(mode=0o600)
        for folder in (self.logs, self.etcd, self.vault, self.pulumi_state):
            folder.mkdir(mode=0o700, exist_ok=True)

    def delete(self) -> None:
        """Delete the directory; the lock must be held, and goes last."""
        for entry in self.root.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry != self.lock:
                entry.unlink()
        # Out of the way first: a command that waits for the lock would make it again in here.
        emptied = self.root.rename(self.root.with_name(f"{self.root.name}.{os.getpid()}.deleted"))
        shutil.rmtree(emptied)


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that only its owner may read, so that it is there whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp makes its file with mode 0600: there is no moment when others may read it.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

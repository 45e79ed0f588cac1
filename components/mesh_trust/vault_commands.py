"""The commands `mesh-trust vault ...` that are advised, for the Vault that the advice is about."""

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VaultCommands:
    """How they begin, and which of their options name Vault's servers."""

    start: str = "mesh-trust"
    servers: str = ""
    """Options, with a blank before them; empty where `start` names a stack whose Vault it is."""

    @classmethod
    def of_stack(cls, name: str) -> "VaultCommands":
        """For the Vault that the stack `name` installs."""
        return cls(f"mesh-trust --stack {name}")

    @classmethod
    def at(cls, address: str, ca_file: Path | str | None) -> "VaultCommands":
        """For the Vault at `address`, whose certificate chains to `ca_file`, or to the system's."""
        ca_option = "" if ca_file is None else f" --ca-file {shlex.quote(str(ca_file))}"
        return cls(servers=f" --address {address}{ca_option}")

    @property
    def initialise(self) -> str:
        """The one that initialises Vault, in backquotes."""
        return f"`{self.start} vault init{self.servers} --keys-file FILE --token-file FILE`"

    @property
    def unseal(self) -> str:
        """The one that unseals its servers, likewise."""
        return f"`{self.start} vault unseal{self.servers} --keys-file FILE`"

    @property
    def status(self) -> str:
        """The one that tells how each of them does, likewise."""
        return f"`{self.start} vault status{self.servers}`"

    @property
    def status_of_the_silent(self) -> str:
        """The same where their address does not answer: it asks the pods, through their cluster."""
        if not self.servers:
            return self.status
        return "`mesh-trust vault status --context NAME`, of the cluster that it is in"

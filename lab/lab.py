"""The lab as a whole: what it is asked to do from the command line and from tests."""

import os
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import psutil
from filelock import FileLock, Timeout
from rich.console import Console

from lab import kubeconfig, processes
from lab.directory import LabDirectory, write_private
from lab.errors import LabError
from lab.etcd import NAME as ETCD
from lab.etcd import PEER_PORT
from lab.istiods.servers import istiod_http_name, istiod_name
from lab.memory import LabMemory
from lab.nodes.addresses import MAXIMUM_CLUSTERS, choose_network
from lab.nodes.cgroups import remove_all_cgroups
from lab.nodes.istio import istio_objects
from lab.nodes.node import SWITCH
from lab.nodes.preparation import await_node, prepare_node
from lab.nodes.servers import NODE_PREFIX
from lab.ports import LOOPBACK, assign_ports
from lab.processes import LabProcess
from lab.progress import Steps
from lab.pulumi_home import ENGINE, all_official, prepare_home
from lab.servers import (
    AddressProbe,
    Server,
    is_in_network_of_nodes,
    read_servers,
    write_servers,
)
from lab.stack import is_set_up
from lab.startup import bring_up
from lab.toolchain import (
    ISTIO_CHARTS,
    ISTIOD_TOOLS,
    LAB_DIRECTORY_VARIABLE,
    NODE_TOOLS,
    NodeSoftware,
    PreparedTool,
)
from lab.topology import TOOLS, Topology, port_names, topology
from lab.vault_server import NAME as VAULT
from lab.vault_server import unseal
from lab.workload_clusters import (
    MANAGEMENT_CLUSTER,
    prepare_management_cluster,
    prepare_workload_cluster,
)

DEFAULT_WORKLOAD_CLUSTERS = ("east", "west")

UNWANTED = (
    "PULUMI_CONFIG_PASSPHRASE",
    "VAULT_ADDR",
    "VAULT_AGENT_ADDR",
    "VAULT_CACERT",
    "VAULT_CACERT_BYTES",
    "VAULT_CAPATH",
    "VAULT_HTTP_PROXY",
    "VAULT_NAMESPACE",
    "VAULT_PROXY_ADDR",
    "VAULT_SKIP_VERIFY",
    "VAULT_TLS_SERVER_NAME",
    "VAULT_TOKEN",
)
"""Variables that win over those of `ExistingLab.environment`, or lead away from the lab's Vault:
whoever takes that environment on top of another one removes these."""

# A kubeconfig context with an underscore could not become a name in a certificate.
_CLUSTER_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")


@dataclass(frozen=True)
class ServerStatus:
    """How one server does. `failure` is None for a healthy one; the rest is None for a dead one."""

    name: str
    address: str
    failure: str | None
    process_id: int | None
    uptime_seconds: float | None
    memory_bytes: int | None


class ExistingLab:
    """A lab that may be running, half-started, killed, or not there at all."""

    def __init__(self, directory: Path) -> None:
        self.directory = LabDirectory(directory.resolve())

    def stop(self) -> None:
        """End every process of this lab; its data stays for the next start.

        Raises:
            LabError: the directory is somebody else's, or a process cannot be ended.
        """
        if self.directory.root.exists():
            with self.locked(None):
                self._end_processes()
        else:
            self._end_processes()
        remove_all_cgroups(self.directory)

    def clean(self) -> None:
        """End every process of this lab and delete its directory.

        Raises:
            LabError: the directory is somebody else's, or a process cannot be ended.
        """
        if self.directory.root.exists():
            with self.locked(None):
                self._end_processes()
                self.directory.delete()
        else:
            self._end_processes()
        remove_all_cgroups(self.directory)

    def status(self) -> list[ServerStatus]:
        """Ask every server of the lab how it does; empty where there is no lab.

        Nothing is written: another command may be starting or deleting the lab.

        Raises:
            LabError: what the last start wrote down cannot be read.
        """
        servers = read_servers(self.directory.servers)
        if not servers:
            return []
        found = {each.name: each.process for each in processes.running(self.directory)}
        lost = _lost_network(servers)

        def ask(server: Server) -> ServerStatus:
            process = found.get(server.name)
            if process is None:
                failure: str | None = "not running"
            elif lost and is_in_network_of_nodes(server.health):
                # A question would leave this machine, by its default route.
                failure = lost
            else:
                failure = server.health.failure()
            return ServerStatus(server.name, server.address, failure, *_process_figures(process))

        # One that hangs does not keep the others from being asked.
        with ThreadPoolExecutor(max_workers=len(servers)) as pool:
            return list(pool.map(ask, servers))

    def environment(self) -> dict[str, str]:
        """Return the variables that a Pulumi engine needs to work with this lab.

        Without nodes the Vault token is among them: for a process's environment only, never to be
        printed. They do their work where none of `UNWANTED` is set.

        Raises:
            LabError: the lab has not been started yet.
        """
        memory = LabMemory.read(self.directory)
        has_vault = memory.network is None
        needed = self.directory.vault_root_token if has_vault else self.directory.kubeconfig
        if VAULT not in memory.ports or not needed.exists():
            raise LabError("there is no lab yet: start it with `make up`")
        variables = {
            "KUBECONFIG": str(self.directory.kubeconfig),
            "PULUMI_HOME": str(self.directory.pulumi_home),
            "PULUMI_BACKEND_URL": self.directory.pulumi_state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.directory.passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            LAB_DIRECTORY_VARIABLE: str(self.directory.root),
            "PATH": os.pathsep.join([str(self.directory.engine), os.environ.get("PATH", "")]),
        }
        # With nodes, the program installs a Vault in the management cluster.
        if has_vault:
            variables |= {
                "VAULT_ADDR": f"https://{LOOPBACK}:{memory.ports[VAULT]}",
                "VAULT_CACERT": str(self.directory.vault_authority),
                "VAULT_TOKEN": self.directory.vault_root_token.read_text(),
            }
        if not memory.plugins_may_be_downloaded:
            variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        return variables

    def has_nodes(self) -> bool:
        """Tell whether a node of this lab runs."""
        return any(each.name.startswith(NODE_PREFIX) for each in processes.running(self.directory))

    def _end_processes(self) -> None:
        """End all processes, those first that need others to end well."""
        found = processes.running(self.directory)
        engine = str(self.directory.engine / ENGINE)
        # An engine that is asked to end writes down what it has done, and ends its plugins.
        processes.end(each for each in found if each.arguments[:1] == (engine,))
        processes.end(each for each in found if each.name == ENGINE)
        _end_servers([each for each in found if each.name != ENGINE])

    def _end_outdated(self, plan: Topology) -> None:
        """End the servers that are not as planned; an engine is left to its work."""
        arguments = {server.name: server.arguments for server in plan.servers()}
        _end_servers(
            [
                each
                for each in processes.running(self.directory)
                if each.name != ENGINE and each.arguments != arguments.get(each.name)
            ]
        )

    @contextmanager
    def locked(self, console: Console | None) -> Iterator[None]:
        """Keep other commands from changing the lab; make its directory where there is none.

        Raises:
            LabError: the directory is somebody else's.
        """
        lock = self._acquire(console)
        try:
            yield
        finally:
            lock.release()

    def _acquire(self, console: Console | None) -> FileLock:
        lock = FileLock(self.directory.lock, mode=0o600)
        while True:
            try:
                self.directory.create()
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    if console is not None:
                        console.print(
                            f"waiting for another command on {self.directory.root}", markup=False
                        )
                    lock.acquire()
            except FileNotFoundError:
                # The command that was waited for has deleted the directory.
                continue
            return lock


class Lab(ExistingLab):
    """A lab that can be started, with the tools it is made of (`lab.toolchain.prepare`)."""

    def __init__(
        self,
        directory: Path,
        tools: Mapping[str, PreparedTool],
        node_software: NodeSoftware | None = None,
    ) -> None:
        super().__init__(directory)
        self._tools = tools
        self._node_software = node_software

    def up(
        self,
        console: Console,
        workload_clusters: Sequence[str] = DEFAULT_WORKLOAD_CLUSTERS,
        *,
        istiods: bool = False,
        audited: bool = False,
    ) -> None:
        """Start what does not run, mend what is not well, and prepare the clusters.

        Workload clusters that the lab has already stay, whether named here or not. `istiods` has
        istiod run on this machine for each of them, where there are no nodes that it runs on.
        `audited` has the API servers write down what administrators ask (`lab.api_server_audit`).

        Raises:
            LabError: a name is not allowed, the directory is somebody else's, or a server does
                not start.
        """
        for name in workload_clusters:
            if name == MANAGEMENT_CLUSTER or not _CLUSTER_NAME.fullmatch(name):
                raise LabError(
                    f"{name!r} cannot be a workload cluster's name: use lower-case letters, "
                    f"digits and hyphens, at most 32, and not {MANAGEMENT_CLUSTER!r}"
                )
        with self.locked(console), Steps(console) as steps:
            self._refuse_another_vault()
            on_this_machine = istiods and self._node_software is None
            memory = self._plan(workload_clusters, istiods=on_this_machine, audited=audited)
            if self._node_software is not None:
                steps.begin("images", "making what is missing")
            plan = topology(self.directory, memory)
            if self._node_software is not None:
                steps.finish("images", "made of the tools")
            write_servers(self.directory.servers, plan.servers())
            self._end_outdated(plan)
            self._remove_leftovers()
            prepare_home(self.directory, self._tools)
            switch = [] if plan.nodes is None else [plan.nodes.switch]
            bring_up(self.directory, [plan.etcd, *switch], steps)
            vault = [] if plan.vault is None else [plan.vault]
            bring_up(self.directory, [*vault, *plan.api_servers], steps)
            if plan.vault is not None:
                steps.begin("vault data", "unsealing")
                steps.finish("vault data", unseal(self.directory, plan.vault.address))
            bring_up(self.directory, plan.controller_managers, steps)
            if plan.nodes is not None:
                beside = [*plan.nodes.schedulers, plan.nodes.caretaker, *plan.nodes.nodes]
                bring_up(self.directory, beside, steps)
                self._prepare_nodes(plan, memory, steps)
            self._prepare_clusters(plan, memory, steps)
            bring_up(self.directory, plan.istiods, steps)

    def _plan(
        self, workload_clusters: Sequence[str], *, istiods: bool = False, audited: bool = False
    ) -> LabMemory:
        before = LabMemory.read(self.directory)
        clusters = tuple(dict.fromkeys([*before.workload_clusters, *workload_clusters]))
        running = {each.name for each in processes.running(self.directory)}
        if ETCD in running:
            running.add(PEER_PORT)
        tools: tuple[str, ...] = TOOLS
        if self._node_software is not None:
            tools = (*TOOLS, *NODE_TOOLS, "helm")
        elif istiods:
            tools = (*TOOLS, *ISTIOD_TOOLS, "helm")
        names = port_names(clusters, istiods=istiods)
        running |= {istiod_http_name(each) for each in clusters if istiod_name(each) in running}
        memory = replace(
            before,
            istiods=istiods,
            audited=audited,
            workload_clusters=clusters,
            ports=assign_ports(names, before.ports, running),
            executables={name: str(self._tools[name].path) for name in tools},
            versions={name: self._tools[name].version for name in tools},
            plugins_may_be_downloaded=all_official(self._tools),
            network=self._choose_network(before, clusters, running),
            node_software=_paths(self._node_software),
        )
        memory.write(self.directory)
        return memory

    def _refuse_another_vault(self) -> None:
        """Keep a trust that is set up in one Vault from being looked for in another one.

        With nodes the program has a Vault of its own, without them it uses the lab's.

        Raises:
            LabError: the lab has run the other way, and its stack is still set up.
        """
        before = LabMemory.read(self.directory)
        had_nodes, has_nodes = before.network is not None, self._node_software is not None
        if before.ports and had_nodes != has_nodes and is_set_up(self.directory):
            had, now = ("with", "NODES=1") if had_nodes else ("without", "NODES=0")
            raise LabError(
                f"the trust of this lab is set up in the Vault that a lab {had} nodes has: start "
                f"it that way again (make up {now}) and take it down first (make down), or delete "
                "the lab (make clean-lab)"
            )

    def _choose_network(
        self, before: LabMemory, clusters: Sequence[str], running: Collection[str]
    ) -> int | None:
        if self._node_software is None:
            return None
        if 1 + len(clusters) > MAXIMUM_CLUSTERS:
            raise LabError(
                f"{len(clusters)} workload clusters are too many: with nodes there is room for "
                f"{MAXIMUM_CLUSTERS - 1}"
            )
        return choose_network(before.network, ours_runs=SWITCH in running).number

    def _remove_leftovers(self) -> None:
        """Remove what killed nodes have left: everything else went with their processes."""
        if not self.has_nodes():
            remove_all_cgroups(self.directory)

    def _prepare_nodes(self, plan: Topology, memory: LabMemory, steps: Steps) -> None:
        assert plan.nodes is not None
        found = processes.running(self.directory)
        started = {each.name: each.process.create_time() for each in found}
        for plane in plan.planes:
            subject = f"{plane.cluster} node"
            steps.begin(subject, "installing the cluster's DNS")
            prepare_node(plane, memory.version("coredns"), storage=plane is plan.management)
        for plane, node in zip(plan.planes, plan.nodes.nodes, strict=True):
            subject = f"{plane.cluster} node"
            await_node(plane, node, started[node.name], partial(steps.begin, subject))
            steps.finish(subject, "ready, and its pods run")

    def _prepare_clusters(self, plan: Topology, memory: LabMemory, steps: Steps) -> None:
        contexts = [plane.context() for plane in plan.planes]
        write_private(self.directory.kubeconfig, kubeconfig.render(contexts))
        for plane in plan.workload:
            steps.begin(plane.cluster, "preparing")
            istio = []
            if plane.has_node or memory.istiods:
                helm, charts = (memory.executable(name) for name in ("helm", ISTIO_CHARTS))
                istio = istio_objects(helm, charts, plane.cluster, pods=plane.has_node)
            prepare_workload_cluster(plane, istio)
            steps.finish(plane.cluster, "prepared as the guide takes for granted")
        steps.begin(plan.management.cluster, "preparing")
        prepare_management_cluster(plan.management, [each.cluster for each in plan.workload])
        steps.finish(plan.management.cluster, "prepared")


def _lost_network(servers: Sequence[Server]) -> str | None:
    """Return what the network of the nodes lacks, or None for one that is there, or not needed."""
    failures = (each.health.failure() for each in servers if isinstance(each.health, AddressProbe))
    return next(filter(None, failures), None)


def _end_servers(servers: Sequence[LabProcess]) -> None:
    # A node ends well while its API server and its network are there, and an API server that has
    # lost its etcd takes its time to end.
    nodes = [each for each in servers if each.name.startswith(NODE_PREFIX)]
    last = [each for each in servers if each.name in (ETCD, SWITCH)]
    processes.end(nodes)
    processes.end(each for each in servers if each not in nodes and each not in last)
    processes.end(last)


def _paths(software: NodeSoftware | None) -> dict[str, str]:
    if software is None:
        return {}
    return {
        each.name: str(path)
        for each in fields(software)
        if isinstance(path := getattr(software, each.name), Path)
    }


def _process_figures(
    process: psutil.Process | None,
) -> tuple[int | None, float | None, int | None]:
    """Return process id, uptime in seconds and resident memory in bytes, children included."""
    if process is None:
        return None, None, None
    try:
        memory = sum(_memory(each) for each in [process, *process.children(recursive=True)])
        return process.pid, time.time() - process.create_time(), memory
    except psutil.NoSuchProcess:
        return None, None, None


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0

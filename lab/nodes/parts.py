"""What a lab's nodes are made of: executables, and the images made of them."""

from pathlib import Path

from lab.directory import LabDirectory
from lab.memory import LabMemory
from lab.nodes.images import (
    agent_image,
    coredns_image,
    idle_agent_image,
    istiod_image,
    make_image,
    pause_image,
    remove_others,
    shell_image,
    vault_image,
)
from lab.nodes.servers import NodeParts
from lab.workload_clusters import MANAGEMENT_CLUSTER

_SYSTEM_COMMANDS = ("containerd", "containerd_shim", "ctr", "runc", "nft", "iptables", "conntrack")
_TOOLS = ("kube-proxy", "kubelet")


def node_parts(directory: LabDirectory, memory: LabMemory) -> NodeParts:
    """Gather the parts; images that are missing are made."""
    system = {name: Path(path) for name, path in memory.node_software.items()}
    busybox = system["busybox"]
    everywhere = [
        pause_image(memory.executable("pause"), memory.version("pause")),
        coredns_image(memory.executable("coredns"), memory.version("coredns")),
        shell_image(busybox),
        idle_agent_image(busybox),
    ]
    istio = [
        istiod_image(memory.executable("pilot-discovery"), busybox),
        agent_image(memory.executable("istiod-agent"), busybox),
    ]
    vault = vault_image(memory.executable("vault"), memory.version("vault"), busybox)
    made = {recipe.name: make_image(recipe, directory.images) for recipe in [*everywhere, *istio]}
    made[vault.name] = make_image(vault, directory.images)
    remove_others(directory.images, made.values())
    of_workload = tuple(made[recipe.name] for recipe in istio)
    return NodeParts(
        commands={
            **{name: system[name] for name in (*_SYSTEM_COMMANDS, "ip")},
            **{name: memory.executable(name) for name in _TOOLS},
        },
        network_plugins=system["cni"],
        images=tuple(made[recipe.name] for recipe in everywhere),
        images_of={
            **dict.fromkeys(memory.workload_clusters, of_workload),
            MANAGEMENT_CLUSTER: (made[vault.name],),
        },
    )

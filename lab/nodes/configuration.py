"""Configuration files of containerd, its network plugins, kubelet and kube-proxy, as text.

Paths in them are those that the node sees.
"""

import json
from ipaddress import IPv4Network
from pathlib import Path

import yaml

from lab.nodes.specification import HOME, RUNTIME, RUNTIME_SOCKET

CLUSTER_DOMAIN = "cluster.local"

# Pods share the host's disk: how full it is says nothing about the node.
_NEVER = "0%"


def containerd(sandbox_image: str, plugins: Path, runc: Path) -> str:
    """Render containerd's file: everything below the node's folder, overlayfs, runc.

    `plugins` is the folder of the network plugins.
    """
    # With less than all privileges runc can lower no process's standing with the kernel's memory
    # killer; pods then get what the node has.
    return f"""\
version = 2
root = "{HOME / "containerd"}"
state = "{RUNTIME}"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{RUNTIME_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{sandbox_image}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{HOME / "network.d"}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{runc}"
"""


def pod_network(pods: IPv4Network) -> str:
    """Render the network plugins' file: one bridge for the node's pods."""
    bridge = {
        "type": "bridge",
        "bridge": "pods",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            # Not kept over a restart: no pod is, either.
            "dataDir": str(RUNTIME / "addresses"),
            "ranges": [[{"subnet": str(pods)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}, indent=2)


def kubelet(address: str, cluster_dns: str, cgroup: str) -> str:
    """Render kubelet's file; its certificates are `kubelet.crt`, `kubelet.key` and `ca.crt`."""
    return _yaml(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": address,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(HOME / "ca.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(HOME / "kubelet.crt"),
            "tlsPrivateKeyFile": str(HOME / "kubelet.key"),
            "containerRuntimeEndpoint": f"unix://{RUNTIME_SOCKET}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": cgroup,
            "clusterDNS": [cluster_dns],
            "clusterDomain": CLUSTER_DOMAIN,
            "resolvConf": str(HOME / "resolv.conf"),
            "podLogsDir": str(HOME / "pod-logs"),
            "volumePluginDir": str(HOME / "volume-plugins"),
            # Machines with control groups of version 1, with swap, and with less than all
            # privileges are welcome.
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "maxOpenFiles": 20000,
            "evictionHard": dict.fromkeys(
                ("imagefs.available", "memory.available", "nodefs.available", "nodefs.inodesFree"),
                _NEVER,
            ),
            # An image that the lab made could not be had again.
            "imageGCHighThresholdPercent": 100,
            # Told at once, not after the minute that is the default.
            "nodeStatusReportFrequency": "10s",
        }
    )


def kube_proxy(node_name: str, pods: IPv4Network) -> str:
    """Render kube-proxy's file; its access to the cluster is `kube-proxy.kubeconfig`."""
    return _yaml(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(HOME / "kube-proxy.kubeconfig")},
            "hostnameOverride": node_name,
            "mode": "nftables",
            "clusterCIDR": str(pods),
            # The table of connections is the whole machine's: its size is left as it is.
            "conntrack": {"maxPerCore": 0},
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
        }
    )


def resolver() -> str:
    """Render the names' file of pods that ask for the node's own: there is nobody to ask."""
    return "# The lab's nodes know the names of their cluster only.\n"


def _yaml(content: dict[str, object]) -> str:
    return yaml.safe_dump(content, sort_keys=False)

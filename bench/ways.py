"""The ways to set the trust up, each as the commands that are measured, and its undoing."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from bench.figures import ADD, DESTROY, HOST, NO_CHANGE, POD, PREVIEW, PULUMI, REFRESH, SET_UP
from bench.ground import Ground
from lab.directory import CHECKOUT
from lab.stack import configuration_file, prepare_stack

SCRIPT = Path(__file__).with_name("guide.sh")

_COMMON_NAME, _ORGANIZATION = "bench root", "bench"
# Lifetimes that the program gives to the mount of the root, in seconds.
_ROOT_TTLS = {"ROOT_DEFAULT_TTL": "31536000s", "ROOT_MAXIMUM_TTL": "31536000s"}


@dataclass(frozen=True)
class Command:
    """A command to be measured: its arguments, its whole environment, and where it runs."""

    arguments: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path


def commands(
    ground: Ground, way: str, clusters: Sequence[str], more: str
) -> Sequence[tuple[str, Command]]:
    """Return a way's operations for these clusters in their order; `more` is the added cluster."""
    if way == PULUMI:
        return _program(ground, clusters, more)
    return [
        (SET_UP, _script(ground, way, clusters, with_root=True)),
        (ADD, _script(ground, way, [more], with_root=False)),
    ]


def undo(ground: Ground, clusters: Sequence[str]) -> None:
    """Take away what a script has made; what is not there is passed over."""
    vault = ground.vault.client()
    vault.sys.disable_secrets_engine("pki")
    for each in clusters:
        vault.sys.disable_secrets_engine(f"pki_int_{each}")
        vault.sys.disable_auth_method(f"kube-{each}-mesh-auth")
        vault.sys.delete_policy(f"gen-int-ca-istio-{each}-mesh")
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda each: _undo_in(ground.kubernetes_client(each), each), clusters))


def _undo_in(api: Any, cluster: str) -> None:
    core: Any = client.CoreV1Api(api)
    rbac: Any = client.RbacAuthorizationV1Api(api)
    custom: Any = client.CustomObjectsApi(api)
    policies = ("admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies")
    reviewer, agent = "vault-token-reviewer", "gloo-mesh-istiod-agent"
    for delete, arguments in (
        (custom.delete_namespaced_custom_object, (*policies, cluster)),
        (rbac.delete_cluster_role_binding, (agent,)),
        (rbac.delete_cluster_role, (agent,)),
        (rbac.delete_cluster_role_binding, (reviewer,)),
        (core.delete_namespaced_secret, (reviewer, "istio-system")),
        (core.delete_namespaced_service_account, (reviewer, "istio-system")),
    ):
        with contextlib.suppress(client.exceptions.ApiException):
            delete(*arguments)


def _script(ground: Ground, way: str, clusters: Sequence[str], *, with_root: bool) -> Command:
    assert way in (POD, HOST)
    tools = [ground.tools[each].path.parent for each in ("kubectl", "vault")]
    folder = ground.folder / "script"
    folder.mkdir(mode=0o700, exist_ok=True)
    shell = ground.shell()
    environment = {
        **shell,
        **_ROOT_TTLS,
        "PATH": os.pathsep.join([*map(str, tools), shell["PATH"]]),
        "MANAGEMENT": str(ground.management_kubeconfig),
        "WAY": way,
        "WITH_ROOT": "1" if with_root else "0",
    }
    return Command(["bash", SCRIPT, *clusters], environment, folder)


def _program(ground: Ground, clusters: Sequence[str], more: str) -> Sequence[tuple[str, Command]]:
    directory = ground.workload.directory
    shell = ground.shell()
    prepare_stack(directory, shell)
    few = _configuration(ground, clusters)
    many = _configuration(ground, [*clusters, more])

    def engine(configuration: Path, *arguments: str) -> Command:
        chosen = ("--config-file", configuration, "--stack", "dev", "--non-interactive")
        return Command([directory.engine / "pulumi", *arguments, *chosen], shell, CHECKOUT)

    at_once = ("--yes", "--skip-preview")
    unchanged = "--expect-no-changes"
    return [
        (SET_UP, engine(few, "up", *at_once)),
        (NO_CHANGE, engine(few, "up", *at_once, unchanged)),
        (PREVIEW, engine(few, "preview", unchanged)),
        (ADD, engine(many, "up", *at_once)),
        (REFRESH, engine(many, "refresh", *at_once, unchanged)),
        (DESTROY, engine(many, "destroy", *at_once)),
    ]


def _configuration(ground: Ground, clusters: Sequence[str]) -> Path:
    """Write the stack's configuration for these clusters, with the salt that the stack has."""
    made = yaml.safe_load(configuration_file(ground.workload.directory).read_text())
    values = {
        "development": True,
        "vaultAddress": ground.vault.address,
        "rootCommonName": _COMMON_NAME,
        "rootOrganization": _ORGANIZATION,
        # RSA keys take from a fifth of a second to several seconds, by chance alone.
        "rootKeyAlgorithm": "ECDSA-P384",
        "clusters": [{"name": each, "context": each} for each in clusters],
    }
    content = {
        "encryptionsalt": made["encryptionsalt"],
        "config": {f"mesh-trust:{key}": value for key, value in values.items()},
    }
    folder = ground.folder / f"of-{len(clusters)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "Pulumi.dev.yaml"
    path.write_text(yaml.safe_dump(content))
    return path

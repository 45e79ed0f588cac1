"""What Gloo's management server writes about RootTrustPolicies, written to a real API server."""

import time
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from lab import processes
from lab.closed_schemas import UNKNOWN_FIELD, closed
from lab.control_plane import api_server_name
from lab.definitions import definitions
from lab.directory import LabDirectory
from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.root_trust_policy_status import PLURAL, READS, PolicyInCluster
from tests.conformance.kubernetes.conftest import CLUSTER

from .installed import untyped

GROUP, VERSION = "admin.gloo.solo.io", "v2"
NAME = "east"
_AWAIT_SECONDS = 60
_SPEC: dict[str, Any] = {"config": {"mgmtServerCa": {"generated": {}}}}


def define(kubeconfig: Path) -> None:
    """Gives the cluster the definition of RootTrustPolicies; returns when it is enforced."""
    api: Any = config.new_client_from_config(str(kubeconfig), CLUSTER)
    [definition] = [each for each in definitions() if each["spec"]["names"]["plural"] == PLURAL]
    kept, policy, binding = closed(definition)
    untyped(client.ApiextensionsV1Api(api)).create_custom_resource_definition(kept)
    admission = untyped(client.AdmissionregistrationV1Api(api))
    admission.create_validating_admission_policy(policy)
    admission.create_validating_admission_policy_binding(binding)
    deadline = time.monotonic() + _AWAIT_SECONDS
    while UNKNOWN_FIELD not in (refused(api, "default", {**_SPEC, "unknown": True}) or ""):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def refused(api: Any, namespace: str, spec: Any) -> str | None:
    """Why the server does not take a policy, or None where it would take it whole."""
    try:
        made = untyped(client.CustomObjectsApi(api)).create_namespaced_custom_object(
            *(GROUP, VERSION, namespace, PLURAL),
            _policy("attempt", spec),
            dry_run="All",
            field_validation="Ignore",
        )
    except ApiException as error:
        return str(error.body)
    assert made["spec"] == spec
    return None


class GlooHand:
    """A namespace of its own, and one policy in it."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.api: Any = config.new_client_from_config(str(kubeconfig), CLUSTER)
        self.core = untyped(client.CoreV1Api(self.api))
        self._objects = untyped(client.CustomObjectsApi(self.api))
        made = self.core.create_namespace({"metadata": {"generateName": "gloo-"}})
        self.namespace: str = made.metadata.name
        self._place = (GROUP, VERSION, self.namespace, PLURAL)

    def remove(self) -> None:
        """Deletes the namespace, and with it what is in it."""
        self.core.delete_namespace(self.namespace)

    def create(self) -> str:
        """Makes the policy, as the provider does; gives its uid."""
        made = self._objects.create_namespaced_custom_object(*self._place, _policy(NAME, _SPEC))
        return str(made["metadata"]["uid"])

    def change(self) -> None:
        """Has the policy say something else, which makes it a new generation."""
        self._patch({"spec": {"config": {"autoRestartPods": True}}})

    def read(self) -> Any:
        """The policy as it is."""
        return self._objects.get_namespaced_custom_object(*self._place, NAME)

    def judge(self, state: str, *, generation: int | None = None) -> None:
        """Writes a status, of the present generation where it says nothing else."""
        observed = generation or self.read()["metadata"]["generation"]
        self._objects.patch_namespaced_custom_object_status(
            *self._place, NAME, {"status": {"state": state, "observedGeneration": observed}}
        )

    def delete(self) -> None:
        """Deletes the policy."""
        self._objects.delete_namespaced_custom_object(*self._place, NAME)

    def hold(self, *finalizers: str) -> None:
        """Keeps a policy that is deleted from going, or lets it go where there are none."""
        self._patch({"metadata": {"finalizers": list(finalizers)}})

    def _patch(self, change: dict[str, Any]) -> None:
        self._objects.patch_namespaced_custom_object(*self._place, NAME, change)

    def seen(self, uid: str, access: ClusterAccess | None = None) -> PolicyInCluster:
        """The policy as the component looks at it."""
        access = access or ClusterAccess(str(self.kubeconfig), CLUSTER, READS)
        return PolicyInCluster(access, self.namespace, NAME, uid)


class Outage:
    """The end of the API server's process, and its start."""

    def __init__(self, kubeconfig: Path) -> None:
        self._directory = LabDirectory(kubeconfig.parent)
        self._kubeconfig = kubeconfig
        name = api_server_name(CLUSTER)
        [self._server] = [each for each in processes.running(self._directory) if each.name == name]
        self._arguments = self._server.arguments

    def begin(self) -> None:
        """Ends it as a crash does: at once."""
        self._server.process.kill()
        self._server.process.wait()

    def mend(self) -> None:
        """Starts it again where it has ended, and returns when it serves policies."""
        if not self._server.is_alive():
            self._server = processes.start(self._directory, self._server.name, self._arguments)
        objects: Any = client.CustomObjectsApi(
            config.new_client_from_config(str(self._kubeconfig), CLUSTER)
        )
        deadline = time.monotonic() + _AWAIT_SECONDS
        while True:
            try:
                objects.list_cluster_custom_object(GROUP, VERSION, PLURAL, _request_timeout=5)
                return
            except (ApiException, HTTPError):
                assert time.monotonic() < deadline
                time.sleep(0.2)


def _policy(name: str, spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "RootTrustPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }

"""What a cluster shows of the roots that it trusts, and of the one that it uses."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from mesh_trust.agent_containers import AGENT, MULTIROOT
from mesh_trust.names import istiod_deployment
from mesh_trust.root_checks import fingerprint
from mesh_trust.settings import MANAGEMENT, Cluster, Settings

from ..checks.api_server import api_server
from ..cluster_client import ClusterClient, each_of
from ..finding import Finding, State
from ..generations import Generation
from ..istiod_chain import IstiodChain
from ..istiod_environment import istiod_variable
from ..root_maps import ROOT_MAP, roots_in_map
from ..runner import Check
from .istiods import judged_chains, takes_several_roots
from .next_step import NextStep, Step
from .policy_roots import policy_findings
from .proxies import proxies_that_trust_one, proxies_with_old_certificates, signs_alone_since
from .rollout import replicas
from .survey import chains_of
from .workload import Workload

_READS = "ConfigMaps, Deployments and pods"


class ClusterChecks:
    """Questions to one workload cluster; asks nothing before they are asked."""

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        generations: tuple[Generation, ...],
        step: NextStep,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._generations = generations
        self._step = step
        self._subject = f"cluster {cluster.name}"

    def checks(self) -> list[Check]:
        """The questions, in the order in which they are asked."""
        is_retired = self._step.step is Step.RETIRE
        checks = [
            Check("api-server", lambda: api_server(self._client, self._subject), is_needed=True),
            Check("trusted-roots", self._trusted_roots),
            Check("multiple-roots", self._multiple_roots),
            # Whose certificates are old is counted from the chain on.
            Check("live-chain", self._live_chain, is_needed=is_retired),
            Check("proxies", self._proxies),
        ]
        if len(self._generations) > 1:
            checks.insert(2, Check("policy-roots", self._policy_roots))
        return checks

    @cached_property
    def _client(self) -> ClusterClient:
        return ClusterClient(self._cluster.connection)

    @cached_property
    def _istiods(self) -> list[tuple[Workload, Any]]:
        """Those that have pods, and what there is of each."""
        namespace = self._cluster.istio.namespace
        workloads = [
            Workload(self._cluster.name, self._client, namespace, istiod_deployment(each), True)
            for each in self._cluster.istio.revisions
        ]
        found = [(each, each.read()) for each in workloads]
        return [(workload, each) for workload, each in found if replicas(each)]

    @cached_property
    def _chains(self) -> list[IstiodChain]:
        return [
            chain
            for workload, deployment in self._istiods
            for chain in chains_of(workload, deployment, self._generations)
        ]

    @cached_property
    def _root_maps(self) -> list[Any]:
        with self._client.reading(_READS):
            return list(
                each_of(
                    self._client.core.list_config_map_for_all_namespaces,
                    field_selector=f"metadata.name={ROOT_MAP}",
                )
            )

    @cached_property
    def _pods(self) -> list[Any]:
        with self._client.reading(_READS):
            return list(each_of(self._client.core.list_pod_for_all_namespaces))

    def _finding(self, check: str, state: State, seen: str, fix: str | None = None) -> Finding:
        return Finding(check, self._subject, state, seen, fix)

    def _trusted_roots(self) -> Iterator[Finding]:
        maps = self._root_maps
        kubectl = f"kubectl --context {self._client.context}"
        if not maps:
            seen = f"no namespace has a ConfigMap {ROOT_MAP}, by which istiod says what is trusted"
            fix = f"see that istiod runs: `{kubectl} get pods -A -l app=istiod`"
            yield self._finding("trusted-roots", State.FAILED, seen, fix)
            return
        ours = {fingerprint(each.certificate): each for each in self._generations}
        lacking: dict[str, list[str]] = {}
        foreign: dict[str, list[str]] = {}
        for each in maps:
            namespace = each.metadata.namespace
            there = {fingerprint(root) for root in roots_in_map(each)}
            for missing in ours.keys() - there:
                lacking.setdefault(str(ours[missing]), []).append(namespace)
            for other in there - ours.keys():
                foreign.setdefault(other, []).append(namespace)
        for name, namespaces in lacking.items():
            yield self._finding(
                "trusted-roots",
                State.FAILED,
                f"ConfigMap {ROOT_MAP} lacks root {name} in {_listed(namespaces)}",
                f"wait until istiod has written it; if it does not, see {self._agent_log}",
            )
        for name, namespaces in foreign.items():
            yield self._finding(
                "trusted-roots",
                State.WARNING,
                f"ConfigMap {ROOT_MAP} has a root that the stack does not have (SHA-256 {name}) in "
                f"{_listed(namespaces)}",
                "after a root was retired, wait until istiod has written it; if it stays, see "
                f"{self._agent_log}",
            )
        if not lacking:
            roots = " and ".join(each.name for each in self._generations)
            seen = f"ConfigMap {ROOT_MAP} has {roots} in all {len(maps)} namespaces that have it"
            yield self._finding("trusted-roots", State.OK, seen)

    @property
    def _agent_log(self) -> str:
        istio = self._cluster.istio
        return (
            f"the log of its agent: `kubectl --context {self._client.context} "
            f"logs -n {istio.namespace} deployment/{istiod_deployment(istio.revisions[0])} "
            f"-c {AGENT}`"
        )

    def _policy_roots(self) -> Iterator[Finding]:
        policy = self._settings.trust_policy
        connection = self._cluster.connection
        if policy.placement == MANAGEMENT and self._settings.management is not None:
            connection = self._settings.management
        found = policy_findings(connection, policy.namespace, self._cluster.name, self._generations)
        for state, seen, fix in found:
            yield self._finding("policy-roots", state, seen, fix)

    def _multiple_roots(self) -> Iterator[Finding]:
        name, _ = MULTIROOT
        for workload, deployment in self._istiods:
            pod = deployment.spec.template.spec
            value = istiod_variable(self._client, workload.namespace, pod, name)
            state, seen, fix = takes_several_roots(str(workload), value)
            yield self._finding("multiple-roots", state, seen, fix)

    def _live_chain(self) -> Iterator[Finding]:
        found = judged_chains(
            self._chains, self._generations, self._step, self._cluster.name, self._client.context
        )
        for state, seen, fix in found:
            yield self._finding("live-chain", state, seen, fix)

    def _proxies(self) -> Iterator[Finding]:
        context = self._client.context
        if self._step.step is not Step.RETIRE:
            found = proxies_that_trust_one(self._pods, context)
        else:
            since = signs_alone_since(self._chains, [each for _, each in self._istiods])
            found = proxies_with_old_certificates(self._pods, since, context)
        for state, seen, fix in found:
            yield self._finding("proxies", state, seen, fix)


def _listed(namespaces: list[str], most: int = 5) -> str:
    shown = ", ".join(sorted(namespaces)[:most])
    left = len(namespaces) - most
    return f"{len(namespaces)} namespaces ({shown}{f' and {left} more' if left > 0 else ''})"

"""The provider: its configuration, and the way from a type's token to its kind."""

from collections.abc import Collection, Sequence
from importlib import metadata
from pathlib import Path

from lab.plugins.kubernetes.connection import Connection, open_connection
from lab.plugins.kubernetes.helm.command import Helm
from lab.plugins.kubernetes.helm.fields import TOKEN as HELM_RELEASE
from lab.plugins.kubernetes.helm.release import HelmRelease
from lab.plugins.kubernetes.kinds import PACKAGE, kind_of
from lab.plugins.kubernetes.kubeconfig import KubeconfigError, active_cluster, parse_kubeconfig
from lab.plugins.kubernetes.rendering import RenderedObject
from lab.plugins.kubernetes.resource import KubernetesResource
from lab.plugins.kubernetes.served_kind import ServedKind
from lab.plugins.kubernetes.settings import (
    CLUSTER,
    CLUSTER_IDENTIFIER,
    CONTEXT,
    KUBECONFIG,
    RENDER_DIRECTORY,
    failures,
    selection_of,
    settings_of,
)
from lab.plugins.provider.provider import (
    NO_DIFFERENCE,
    Change,
    Checked,
    Difference,
    Kind,
    Provider,
    ProviderError,
    ResourceType,
    UnknownType,
    resource_name,
)
from lab.plugins.provider.values import Properties, Unknown, reveal_properties

_POINTING_AT_A_CLUSTER = (KUBECONFIG, CONTEXT, CLUSTER)


class KubernetesProvider(Provider):
    """Serves objects and Helm releases; one instance is one configured provider of a stack."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._helm: Helm | None = None
        self._rendered_to: Path | None = None

    @property
    def name(self) -> str:
        """The package's name."""
        return PACKAGE

    @property
    def version(self) -> str:
        """The version of the official plugin whose place it takes."""
        return metadata.version("pulumi_kubernetes")  # the SDK's is the official plugin's too

    def check_config(self, urn: str, olds: Properties, news: Properties) -> Checked:  # noqa: ARG002
        """Refuse, by name, what is no configuration key or is not supported."""
        # The engine names its own, unasked-for providers `default` or `default_<version>`.
        is_default = resource_name(urn).startswith("default")
        return Checked(news, failures(news, is_default_provider=is_default))

    def diff_config(
        self,
        urn: str,  # noqa: ARG002
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],  # noqa: ARG002
    ) -> Difference:
        """Compare configurations: pointing at another cluster replaces everything in it.

        A cluster has no identity of its own. Another one is assumed where the kubeconfig's entry
        for it differs, unless `clusterIdentifier` says whether it is the same.
        """
        olds = reveal_properties(old_inputs or old_state)
        news = reveal_properties(news)
        changed = {
            key: _change(key, olds, news)
            for key in sorted(olds.keys() | news.keys())
            if olds.get(key) != news.get(key) or isinstance(news.get(key), Unknown)
        }
        if not changed:
            return NO_DIFFERENCE
        replacing = [
            *(key for key in changed if key == RENDER_DIRECTORY),
            *_replacing(olds, news, changed.keys()),
        ]
        return Difference(
            changes=True,
            replaces=replacing,
            detailed={
                key: Change(kind.replacing() if key in replacing else kind, of_input=True)
                for key, kind in changed.items()
            },
        )

    def configure(self, inputs: Properties) -> None:
        """Connect to the cluster, or to none where objects are rendered."""
        settings = settings_of(inputs)
        if settings.render_directory is not None:
            self._rendered_to = settings.render_directory
            return
        self._connection = open_connection(settings)
        self._helm = Helm(settings.helm, self._connection.kubeconfig)

    def resource(self, token: str) -> ResourceType:
        """Return the type of that token; raises `UnknownType`."""
        kind = None if token == HELM_RELEASE else kind_of(token)
        if self._rendered_to is not None:
            if kind is None:
                raise ProviderError("a Helm release cannot be rendered: it is Helm's to install")
            return RenderedObject(kind, self._rendered_to, self.engine_log)
        if self._connection is None or self._helm is None:
            raise ProviderError("the kubernetes provider is not configured yet")
        if kind is None:
            return HelmRelease(self._connection, self._helm, self.engine_log)
        # The official plugin looks at the inputs' kind, which are not at hand here.
        if kind.is_named_as_patch and not ServedKind(kind, self._connection.cluster).is_served():
            kind = kind.patched()
        return KubernetesResource(kind, self._connection)

    def invoke(self, token: str, arguments: Properties) -> Properties:  # noqa: ARG002
        """Refuse every function: there are none here."""
        raise UnknownType(PACKAGE, token)

    def cancel(self) -> None:
        """End all waiting for objects, and the commands of helm that run."""
        if self._connection is not None:
            self._connection.waiting.cancel()
        if self._helm is not None:
            self._helm.cancel()


def _change(key: str, olds: Properties, news: Properties) -> Kind:
    if key not in olds:
        return Kind.ADD
    return Kind.UPDATE if key in news else Kind.DELETE


def _replacing(olds: Properties, news: Properties, changed: Collection[str]) -> list[str]:
    old_identifier, identifier = olds.get(CLUSTER_IDENTIFIER), news.get(CLUSTER_IDENTIFIER)
    if identifier is not None and identifier == old_identifier:
        return []
    replacing = (
        [CLUSTER_IDENTIFIER] if identifier is not None and old_identifier is not None else []
    )
    unknown = [key for key in _POINTING_AT_A_CLUSTER if isinstance(news.get(key), Unknown)]
    if unknown:
        return [*replacing, unknown[0]]
    try:
        old_cluster = active_cluster(parse_kubeconfig(olds.get(KUBECONFIG)), selection_of(olds))
        cluster = active_cluster(parse_kubeconfig(news.get(KUBECONFIG)), selection_of(news))
    except KubeconfigError as error:
        raise ProviderError(f"failed to parse kubeconfig: {error}") from error
    if old_cluster is not None and cluster is not None and old_cluster != cluster:
        replacing += [key for key in _POINTING_AT_A_CLUSTER if key in changed]
    return replacing

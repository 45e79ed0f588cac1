"""Which types the plugin has."""

import pytest

from lab.plugins.kubernetes.kinds import kind_of
from lab.plugins.provider.provider import UnknownType
from tests.conformance.harness import Plugin, RefusedError


@pytest.mark.parametrize(
    "token",
    [
        "kubernetes:core/v1:Pod",
        "kubernetes:core/v1:SecretPatch",
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:apps/v1beta1:Deployment",
        "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        "kubernetes:rbac.authorization.k8s.io/v1beta1:Role",
        "kubernetes:helm.sh/v3:Release",
        "kubernetes:yaml/v2:ConfigFile",
        "kubernetes:kustomize/v2:Directory",
        "kubernetes:example.com:Widget",
        "kubernetes:example.com/v1:",
        "vault:example.com/v1:Widget",
    ],
)
def test_others_are_unknown(token: str) -> None:
    with pytest.raises(UnknownType, match=token):
        kind_of(token)


@pytest.mark.parametrize(
    "token",
    [
        "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy",
        "kubernetes:gateway.networking.k8s.io/v1:Gateway",
    ],
)
def test_custom_kinds_of_any_group_are_known(token: str) -> None:
    assert kind_of(token).token == token
    assert not kind_of(token).is_built_in


def test_engine_is_told(plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match="kubernetes:core/v1:Pod is not known"):
        plugin.check("kubernetes:core/v1:Pod", {})
    with pytest.raises(RefusedError, match="kubernetes:yaml:decode is not known"):
        plugin.invoke("kubernetes:yaml:decode", {})

"""What the configuration says of who may do what, and of how agents log in."""

import json
from pathlib import Path
from typing import Any

import pytest

from mesh_trust.settings import InvalidConfigurationError
from tests.certificates import Recipe, make
from tests.token_issuer import TokenIssuer

from .test_settings import VAULT_CA, environment, load

__all__ = ["environment"]

DENIED = ("issuer_ref", "max_path_length", "not_after", "skid")


def cluster(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "east", **fields}]


def test_the_defaults() -> None:
    settings = load()

    access = settings.access
    assert (access.policy, access.denied_parameters) == ("least-privilege", DENIED)
    assert (access.signing_ca, access.administrator) == ("root", False)
    assert settings.root_signs_for_days == 365
    for each in settings.clusters:
        assert each.login == {"reviewer_mode": "token", "token_ttl_seconds": 3600}
        assert each.ca_generation == 1


def test_what_holds_for_every_cluster() -> None:
    settings = load(
        deniedParameters=["skid"],
        reviewerMode="client",
        audience="vault",
        tokenTtlSeconds=2_592_000,
        tokenNoDefaultPolicy=True,
        administrator=True,
        administratorPasswordGeneration=3,
    )

    assert settings.access.denied_parameters == ("skid",)
    assert settings.access.administrator
    assert settings.access.administrator_password_generation == 3
    for each in settings.clusters:
        assert each.login == {
            "reviewer_mode": "client",
            "audience": "vault",
            "token_ttl_seconds": 2_592_000,
            "token_no_default_policy": True,
        }


def test_the_restrictions_can_be_switched_off() -> None:
    assert load(deniedParameters=[]).access.denied_parameters == ()
    assert load(policy="guide").access.denied_parameters is None


def test_cas_of_the_clusters_own() -> None:
    settings = load(
        signingCa="cluster",
        rootPathLength=2,
        clusterCaLifetimeDays=1000,
        intermediateLifetimeDays=90,
        clusters=cluster(caGeneration=2),
    )

    assert settings.access.signing_ca == "cluster"
    assert settings.root_signs_for_days == 1000
    assert settings.clusters[0].ca_generation == 2


def external(path_length: int | None, days: float = 3650) -> dict[str, Any]:
    root = make(Recipe(path_length=path_length, ends=days))
    return {
        "rootSource": "external",
        "rootCertificate": root.certificate_pem,
        "rootSigningMount": "corporate/pki",
        "signingCa": "cluster",
    }


def test_cas_of_the_clusters_own_below_a_root_that_others_have() -> None:
    for path_length in (2, None):
        assert load(**external(path_length)).access.signing_ca == "cluster"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (external(1), "^signingCa: 'cluster' .*path length 2"),
        (external(2, 1800), r"^clusterCaLifetimeDays: 1825 .*less than the root's 1\d{3} days"),
    ],
)
def test_a_root_that_others_have_needs_room_too(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        load(**config)


def test_a_clusters_own_way_to_log_in(environment: Path) -> None:
    issuer = TokenIssuer()
    keys = environment / "east-keys.json"
    keys.write_text(json.dumps(issuer.jwks()))

    settings = load(
        audience="vault",
        clusters=[
            {
                "name": "east",
                "reviewerMode": "jwt",
                "issuerKeysFile": str(keys),
                "issuer": "https://east",
            },
            {"name": "west", "reviewerName": "reviewer", "reviewerTokenSecret": "reviewer-x7"},
        ],
    )

    east, west = settings.clusters
    assert east.login == {
        "reviewer_mode": "jwt",
        "audience": "vault",
        "token_ttl_seconds": 3600,
        "issuer_keys": [issuer.public_key_pem],
        "issuer": "https://east",
    }
    assert west.login == {
        "reviewer_mode": "token",
        "audience": "vault",
        "token_ttl_seconds": 3600,
        "reviewer_name": "reviewer",
        "reviewer_token_secret": "reviewer-x7",
    }


def test_keys_that_vault_fetches(environment: Path) -> None:
    settings = load(
        reviewerMode="jwt",
        clusters=[
            {
                "name": "east",
                "jwksUrl": "https://api/openid/v1/jwks",
                "issuerCaFile": str(environment / "ca.pem"),
            },
            {"name": "west", "oidcDiscoveryUrl": "https://oidc/id/1", "audience": "sts"},
        ],
    )

    east, west = settings.clusters
    assert east.login["jwks_url"] == "https://api/openid/v1/jwks"
    assert east.login["issuer_ca_certificate"] == VAULT_CA
    assert west.login["oidc_discovery_url"] == "https://oidc/id/1"
    assert west.login["audience"] == "sts"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"policy": "root"}, "policy"),
        ({"deniedParameters": "skid"}, "deniedParameters"),
        ({"deniedParameters": ["*"]}, "deniedParameters"),
        ({"deniedParameters": [1]}, "deniedParameters"),
        ({"deniedParameters": {"skid": []}}, "deniedParameters"),
        ({"policy": "guide", "deniedParameters": ["skid"]}, "deniedParameters"),
        ({"reviewerMode": "none"}, "reviewerMode"),
        ({"audience": "two words"}, "audience"),
        ({"tokenTtlSeconds": 59}, "tokenTtlSeconds"),
        ({"tokenTtlSeconds": "1h"}, "tokenTtlSeconds"),
        ({"tokenTtlSeconds": 2_764_801}, "tokenTtlSeconds"),
        ({"tokenNoDefaultPolicy": "sometimes"}, "tokenNoDefaultPolicy"),
        ({"signingCa": "both"}, "signingCa"),
        ({"signingCa": "cluster"}, "signingCa"),
        (
            {"signingCa": "cluster", "rootPathLength": 2, "clusterCaLifetimeDays": 365},
            "clusterCaLifetimeDays",
        ),
        (
            {"signingCa": "cluster", "rootPathLength": 2, "clusterCaLifetimeDays": 3650},
            "clusterCaLifetimeDays",
        ),
        ({"administrator": "admin"}, "administrator"),
        ({"administratorPasswordGeneration": 0}, "administratorPasswordGeneration"),
        ({"clusters": cluster(caGeneration=0)}, "clusters[0].caGeneration"),
        ({"clusters": cluster(caGeneration="2")}, "clusters[0].caGeneration"),
        ({"clusters": cluster(reviewerMode="none")}, "clusters[0].reviewerMode"),
        ({"clusters": cluster(reviewerMode=True)}, "clusters[0].reviewerMode"),
        ({"clusters": cluster(audience="")}, "clusters[0].audience"),
        ({"clusters": cluster(audience="two words")}, "clusters[0].audience"),
        ({"clusters": cluster(reviewerName="*")}, "clusters[0].reviewerName"),
        ({"clusters": cluster(reviewerTokenSecret="A")}, "clusters[0].reviewerTokenSecret"),
        (
            {"clusters": cluster(reviewerMode="client", reviewerTokenSecret="x")},
            "clusters[0].reviewerTokenSecret",
        ),
        (
            {"clusters": cluster(reviewerMode="jwt", reviewerName="x", jwksUrl="https://k")},
            "clusters[0].reviewerName",
        ),
        ({"clusters": cluster(jwksUrl="https://keys")}, "clusters[0].jwksUrl"),
        ({"clusters": cluster(reviewerMode="jwt")}, "clusters[0].issuerKeysFile"),
        (
            {"clusters": cluster(reviewerMode="jwt", issuerKeysFile="/nowhere")},
            "clusters[0].issuerKeysFile",
        ),
        (
            {"clusters": cluster(reviewerMode="jwt", jwksUrl="https://a", issuerKeysFile="/b")},
            "clusters[0].jwksUrl",
        ),
        (
            {"clusters": cluster(reviewerMode="jwt", jwksUrl="http://keys")},
            "clusters[0].jwksUrl",
        ),
        (
            {"clusters": cluster(reviewerMode="jwt", oidcDiscoveryUrl="issuer")},
            "clusters[0].oidcDiscoveryUrl",
        ),
        (
            {"clusters": cluster(reviewerMode="jwt", jwksUrl="https://k", issuerCaFile="/no")},
            "clusters[0].issuerCaFile",
        ),
    ],
)
def test_what_is_refused(config: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConfigurationError) as refusal:
        load(**config)

    of_cluster = " (cluster east)" if field.startswith("clusters") else ""
    assert str(refusal.value).startswith(f"{field}{of_cluster}: ")
    assert "\n" not in str(refusal.value)


def test_a_ca_is_of_no_use_where_nobody_is_asked(environment: Path) -> None:
    (environment / "keys.pem").write_text(TokenIssuer().public_key_pem)
    fields = {"issuerKeysFile": str(environment / "keys.pem"), "issuerCaFile": "ca.pem"}

    with pytest.raises(
        InvalidConfigurationError,
        match=r"^clusters\[0\]\.issuerCaFile \(cluster east\): .*nobody is asked",
    ):
        load(clusters=cluster(reviewerMode="jwt", **fields))


def test_a_wrong_mode_hides_nothing() -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        load(clusters=cluster(reviewerMode="none", audience="two words", reviewerName="*"))
    assert len(refused.value.lines) == 3

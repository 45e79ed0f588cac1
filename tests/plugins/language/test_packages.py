import base64

import pytest

from lab.plugins.language.packages import (
    Distribution,
    PluginDescription,
    plugin_version,
    required_packages,
)


@pytest.mark.parametrize(
    ("package_version", "expected"),
    [
        ("7.14.0", "7.14.0"),
        ("1.2", "1.2.0"),
        ("1.2.3a4", "1.2.3-alpha.4"),
        ("1.2.3b4", "1.2.3-beta.4"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post4", "1.2.3+post4"),
        ("1.2.3.dev5", "1.2.3+dev5"),
        ("1.2.3.post4.dev5", "1.2.3+post4dev5"),
        ("1!1.2.3", None),
        ("1.2.3+local", None),
        ("1.2.3.4", None),
    ],
)
def test_plugin_version(package_version: str, expected: str | None) -> None:
    assert plugin_version(package_version) == expected


def distribution(
    name: str, version: str = "1.2.3", plugin: PluginDescription | None = None
) -> Distribution:
    return Distribution(name=name, version=version, plugin=plugin)


@pytest.mark.parametrize(
    "other",
    [
        distribution("requests"),
        distribution("pulumi"),
        distribution("pulumi-policy"),
        distribution("pulumi-helpers", plugin={"resource": False}),
        distribution("pulumi-nightly", version="1.2.3+local"),
    ],
    ids=lambda other: other["name"],
)
def test_distributions_without_a_plugin(other: Distribution) -> None:
    assert required_packages([other]) == []


def test_description_wins_over_the_distribution() -> None:
    described: PluginDescription = {
        "resource": True,
        "name": "vault",
        "version": "7.14.0",
        "server": "https://plugins.example.com",
    }
    (package,) = required_packages([distribution("acme-vault", plugin=described)])
    assert (package.kind, package.name, package.version) == ("resource", "vault", "v7.14.0")
    assert package.server == "https://plugins.example.com"
    assert not package.HasField("parameterization")


def test_undescribed_pulumi_distribution_is_named_after_itself() -> None:
    (package,) = required_packages([distribution("Pulumi_Vault")])
    assert (package.name, package.version) == ("vault", "v1.2.3")


def test_parameterization_is_passed_on() -> None:
    described: PluginDescription = {
        "resource": True,
        "name": "terraform-provider",
        "version": "v0.5.0",
        "parameterization": {
            "name": "acme",
            "version": "2.0.0",
            "value": base64.b64encode(b"acme/acme").decode(),
        },
    }
    (package,) = required_packages([distribution("pulumi-acme", plugin=described)])
    assert (package.name, package.version) == ("terraform-provider", "v0.5.0")
    assert package.parameterization.name == "acme"
    assert package.parameterization.value == b"acme/acme"


def test_a_package_found_twice_counts_once() -> None:
    twice = [distribution("pulumi-vault"), distribution("pulumi_vault")]
    assert [package.name for package in required_packages(twice)] == ["vault"]

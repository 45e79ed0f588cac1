"""Where charts come from: folders, archives, repositories, registries; whole, verified, or not."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.certificates import issue_server, new_authority
from lab.plugins.provider.values import Properties, Secret
from tests.conformance.harness import Plugin
from tests.conformance.kubernetes.helm.charts import RELEASE, release, write_chart
from tests.conformance.kubernetes.helm.conftest import HelmPlugin, Outsider
from tests.conformance.kubernetes.helm.openpgp import new_keyrings
from tests.conformance.kubernetes.helm.repositories import (
    Served,
    package,
    registry,
    repository,
    serving,
)

USER = "somebody"
PASSWORD = "a-password-that-must-not-show"
HINT = "; check the chart name and repository configuration."


@pytest.fixture
def archives(outsider: Outsider, tmp_path: Path) -> list[Path]:
    return [package(outsider, tmp_path, version) for version in ("1.0.0", "1.2.0", "2.0.0-rc.1")]


@pytest.fixture
def served(archives: list[Path]) -> Served:
    served = Served()
    repository(served, *archives)
    return served


@pytest.fixture
def address(served: Served) -> Iterator[str]:
    with serving(served) as address:
        yield f"http://{address}/charts"


def _from_repository(namespace: str, url: str, **fields: Any) -> Properties:
    options = {"repo": url, **fields.pop("repositoryOpts", {})}
    return release("example", namespace, repositoryOpts=options, **fields)


def _failure(plugin: Plugin, inputs: Properties) -> str:
    ((field, reason),) = plugin.check(RELEASE, inputs).failures
    assert field == "chart"
    assert reason.endswith(HINT)
    return reason.removesuffix(HINT)


def test_repository(plugin: Plugin, namespace: str, address: str) -> None:
    inputs = _from_repository(namespace, address)

    created = plugin.create(RELEASE, inputs)

    assert created.inputs["version"] == "1.2.0"  # the newest that is no pre-release
    assert created.inputs["repositoryOpts"] == {
        **dict.fromkeys(("caFile", "certFile", "keyFile", "password", "username"), ""),
        "repo": address,
    }
    status: Any = created.state["status"]
    assert status["version"] == "1.2.0"
    assert not plugin.diff(created, inputs).changes
    assert not plugin.diff(created, {**inputs, "version": "~1.2"}).changes
    older: Properties = {**inputs, "version": "1.0.0"}
    assert plugin.diff(created, older).detailed == {"version": "UPDATE"}
    updated = plugin.update(created, older)
    status = updated.state["status"]
    assert (status["version"], status["revision"]) == ("1.0.0", 2)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"version": "<1.2"}, "1.0.0"),
        ({"version": " 1.0.0 "}, "1.0.0"),
        ({"devel": True}, "2.0.0-rc.1"),
        ({"devel": True, "version": "1.x"}, "1.2.0"),
    ],
)
def test_versions(
    plugin: Plugin, namespace: str, address: str, fields: Properties, expected: str
) -> None:
    checked = plugin.check(RELEASE, _from_repository(namespace, address, **fields))

    assert checked.failures == []
    assert checked.inputs["version"] == expected


def test_what_a_repository_does_not_have(plugin: Plugin, namespace: str, address: str) -> None:
    wrong_version = _from_repository(namespace, address, version="3.0.0")
    wrong_chart: Properties = {**_from_repository(namespace, address), "chart": "exampel"}
    nowhere = _from_repository(namespace, "http://127.0.0.1:9/charts")

    assert _failure(plugin, wrong_version) == (
        f'chart "example" version "3.0.0" not found in {address} repository'
    )
    assert _failure(plugin, wrong_chart) == f'chart "exampel" not found in {address} repository'
    assert _failure(plugin, nowhere).startswith(
        'looks like "http://127.0.0.1:9/charts" is not a valid chart repository or cannot be '
        'reached: Get "http://127.0.0.1:9/charts/index.yaml": dial tcp'
    )


def test_repository_with_credentials(
    plugin: Plugin, namespace: str, served: Served, address: str
) -> None:
    served.credentials = f"{USER}:{PASSWORD}"
    inputs = _from_repository(
        namespace,
        address,
        repositoryOpts={"username": Secret(USER), "password": Secret(PASSWORD)},
    )
    wrong = _from_repository(
        namespace, address, repositoryOpts={"username": USER, "password": Secret("wrong-one")}
    )

    created = plugin.create(RELEASE, inputs)
    failure = _failure(plugin, wrong)

    options: Any = created.state["repositoryOpts"]
    assert options["password"] == Secret(PASSWORD)
    assert options["username"] == Secret(USER)
    assert "401 Unauthorized" in failure
    assert "wrong-one" not in failure
    assert {path for path, given in served.requests if given == served.credentials} == {
        "/charts/index.yaml",
        "/charts/example-1.2.0.tgz",
    }


def test_credentials_are_for_their_own_server_only(
    plugin: Plugin, namespace: str, served: Served, address: str, archives: list[Path]
) -> None:
    elsewhere = Served()
    repository(elsewhere, *archives)
    with serving(elsewhere) as other:
        kind, index = served.files["/charts/index.yaml"]
        urls = index.replace(b"example-1", f"http://{other}/charts/example-1".encode())
        served.files["/charts/index.yaml"] = (kind, urls)
        checked = plugin.check(
            RELEASE,
            _from_repository(
                namespace, address, repositoryOpts={"username": USER, "password": PASSWORD}
            ),
        )

    assert checked.failures == []
    assert elsewhere.requests == [("/charts/example-1.2.0.tgz", "")]


def test_registry_with_credentials(
    plugin: Plugin, namespace: str, archives: list[Path], tmp_path: Path
) -> None:
    authority = new_authority("registry")
    identity = issue_server(authority, "registry", ["127.0.0.1"])
    (tmp_path / "server.pem").write_bytes(identity.certificate + identity.private_key)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    served = Served(credentials=f"{USER}:{PASSWORD}")
    registry(served, *archives)

    with serving(served, tls) as address:
        chart = f"oci://{address}/charts/example"
        options: Properties = {
            "caFile": str(tmp_path / "ca.pem"),
            "username": USER,
            "password": Secret(PASSWORD),
        }
        inputs = release(chart, namespace, repositoryOpts=options)
        created = plugin.create(RELEASE, inputs)
        exact = plugin.check(RELEASE, {**inputs, "version": "1.0.0"})
        missing = _failure(plugin, {**inputs, "version": "9.9.9"})
        wrong: Properties = {**options, "password": Secret("wrong-one")}
        refused = _failure(plugin, {**inputs, "repositoryOpts": wrong})
        untrusted = _failure(plugin, release(chart, namespace))

    assert created.inputs["version"] == "1.2.0"
    assert exact.inputs["version"] == "1.0.0"
    assert "9.9.9" in missing
    assert "401" in refused
    assert "wrong-one" not in refused
    assert "certificate signed by unknown authority" in untrusted


def test_stray_credentials_are_refused(plugin: Plugin, namespace: str) -> None:
    options: Properties = {"repo": "named", "username": USER, "password": PASSWORD}

    failures = plugin.check(RELEASE, release("x", namespace, repositoryOpts=options)).failures

    assert [field for field, _ in failures] == ["repositoryOpts"]
    assert PASSWORD not in failures[0][1]


def test_repositories_that_the_user_has(
    helm_plugin: HelmPlugin,
    outsider: Outsider,
    home: Path,
    namespace: str,
    address: str,
    tmp_path: Path,
) -> None:
    configuration, cache = tmp_path / "repositories.yaml", tmp_path / "cache"
    places = ("--repository-config", str(configuration), "--repository-cache", str(cache))
    outsider.run("repo", "add", "mine", address, *places)
    settings: Properties = {
        "repositoryConfigPath": str(configuration),
        "repositoryCache": str(cache),
    }
    outsider.run("repo", "list", *places)

    with helm_plugin(inputs={"helmReleaseSettings": json.dumps(settings)}) as plugin:
        created = plugin.create(RELEASE, release("mine/example", namespace))
        named = plugin.check(
            RELEASE, release("example", namespace, repositoryOpts={"repo": "mine"})
        )
        imported = plugin.import_(RELEASE, created.id)
    by_environment = {
        "PULUMI_K8S_HELM_REPOSITORY_CONFIG_PATH": str(configuration),
        "PULUMI_K8S_HELM_REPOSITORY_CACHE": str(cache),
    }
    with helm_plugin(by_environment) as plugin:
        again = plugin.check(RELEASE, release("mine/example", namespace))
    with helm_plugin() as plugin:
        unknown = _failure(plugin, release("mine/example", namespace))

    assert created.inputs["version"] == "1.2.0"
    assert named.inputs["version"] == "1.2.0"
    assert imported is not None
    assert imported.inputs["chart"] == "mine/example"
    assert again.failures == []
    assert unknown == "repo mine not found"
    assert not (home / ".config").exists()


@pytest.mark.parametrize("form", ["folder", "archive", "relative"])
def test_local_charts(
    helm_plugin: HelmPlugin, namespace: str, tmp_path: Path, archives: list[Path], form: str
) -> None:
    folder = write_chart(tmp_path / "local", version="3.0.0")
    given, version = {
        "folder": (str(folder), "3.0.0"),
        "archive": (str(archives[0]), "1.0.0"),
        "relative": ("./local/example", "3.0.0"),
    }[form]

    with helm_plugin(folder=tmp_path) as plugin:
        # The version that is asked for is of no account: the chart is what it is.
        created = plugin.create(RELEASE, release(given, namespace, version="0.0.1"))

    assert created.inputs["chart"] == given
    assert created.inputs["version"] == version


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        ("./nowhere", 'path "./nowhere" not found'),
        ("/nowhere/at/all", 'path "/nowhere/at/all" not found'),
        ("nowhere", "non-absolute URLs should be in form of repo_name/path_to_chart, got: nowhere"),
        ("no-chart", "non-absolute URLs should be in form of repo_name/path_to_chart, got: no-"),
        ("broken", "chart.metadata.version is required"),
    ],
)
def test_local_charts_that_are_none(
    helm_plugin: HelmPlugin, namespace: str, tmp_path: Path, chart: str, reason: str
) -> None:
    (tmp_path / "no-chart").mkdir()
    write_chart(tmp_path, "broken", version="")

    with helm_plugin(folder=tmp_path) as plugin:
        assert reason in _failure(plugin, release(chart, namespace))


def test_a_library_is_not_installed(plugin: Plugin, namespace: str, tmp_path: Path) -> None:
    chart = write_chart(tmp_path, type="library")

    with pytest.raises(Exception, match="library charts are not installable"):
        plugin.create(RELEASE, release(chart, namespace))


def test_dependencies(plugin: Plugin, namespace: str, tmp_path: Path) -> None:
    write_chart(tmp_path, "part")
    whole = write_chart(
        tmp_path,
        dependencies=[{"name": "part", "version": "1.x", "repository": "file://../part"}],
    )
    inputs = release(whole, namespace)

    missing = _failure(plugin, inputs)
    completed = plugin.check(RELEASE, {**inputs, "dependencyUpdate": True})
    afterwards = plugin.check(RELEASE, inputs)

    assert missing == "found in Chart.yaml, but missing in charts/ directory: part"
    assert completed.failures == []
    assert (whole / "charts" / "part-1.0.0.tgz").exists()
    assert afterwards.failures == []


def test_import_finds_the_chart_beside_the_program(
    helm_plugin: HelmPlugin, namespace: str, tmp_path: Path, archives: list[Path]
) -> None:
    program = tmp_path / "program"
    program.mkdir()
    with helm_plugin(folder=program) as plugin:
        created = plugin.create(RELEASE, release(archives[0], namespace))
        found = []
        # From the last looked for to the first.
        (program / "example.tgz").write_bytes(archives[0].read_bytes())
        found.append(plugin.import_(RELEASE, created.id))
        write_chart(program, version="5.0.0")
        found.append(plugin.import_(RELEASE, created.id))
        (program / "example-1.0.0.tgz").write_bytes(archives[0].read_bytes())
        found.append(plugin.import_(RELEASE, created.id))
        write_chart(tmp_path / "other", version="1.0.0").rename(program / "example-1.0.0")
        found.append(plugin.import_(RELEASE, created.id))

    read = [each.inputs for each in found if each is not None]
    assert [(inputs["chart"], inputs["version"]) for inputs in read] == [
        ("example.tgz", "1.0.0"),
        ("example", "5.0.0"),
        ("example-1.0.0.tgz", "1.0.0"),
        ("example-1.0.0", "1.0.0"),
    ]


@pytest.fixture
def keyring(tmp_path: Path) -> Path:
    """A folder with a signing key's `secret.gpg`, its `public.gpg`, and `others.gpg` of another."""
    secret, public = new_keyrings("test signer")
    _, others = new_keyrings("somebody else")
    for name, content in (("secret", secret), ("public", public), ("others", others)):
        (tmp_path / f"{name}.gpg").write_bytes(content)
    return tmp_path


def test_verification(
    plugin: Plugin, namespace: str, outsider: Outsider, keyring: Path, tmp_path: Path
) -> None:
    sign = ("--sign", "--key", "test signer", "--keyring", str(keyring / "secret.gpg"))
    signed = package(outsider, tmp_path, "1.0.0", *sign)
    unsigned = package(outsider, tmp_path, "1.1.0")
    served = Served()
    repository(served, signed, unsigned)
    verified: Properties = {"verify": True, "keyring": str(keyring / "public.gpg")}

    def local(archive: Path, **fields: Any) -> Properties:
        return release(archive, namespace, **{**verified, **fields})

    assert plugin.check(RELEASE, local(signed)).failures == []
    assert "could not load provenance file" in _failure(plugin, local(unsigned))
    other_keys = str(keyring / "others.gpg")
    assert "unknown entity" in _failure(plugin, local(signed, keyring=other_keys))
    assert "unpacked charts cannot be verified" in _failure(
        plugin, local(write_chart(tmp_path / "unpacked"))
    )
    with serving(served) as address:
        url = f"http://{address}/charts"
        remote = _from_repository(namespace, url, version="1.0.0", **verified)
        assert plugin.check(RELEASE, remote).failures == []
        assert "failed to fetch provenance" in _failure(plugin, {**remote, "version": "1.1.0"})
    # Without one of its own it is the user's usual keyring.
    usual = plugin.check(RELEASE, {**local(unsigned), "keyring": ""})
    assert str(usual.inputs["keyring"]).endswith("/.gnupg/pubring.gpg")

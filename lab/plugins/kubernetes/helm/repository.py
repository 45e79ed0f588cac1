"""Downloads a chart, with what is needed to reach its repository in private files.

Neither addresses nor credentials of a repository are given to helm on its command line.
"""

import base64
import json
import os
import re
import urllib.parse
from pathlib import Path

from lab.plugins.kubernetes.helm.command import Helm, HelmError
from lab.plugins.kubernetes.helm.fields import is_set
from lab.plugins.kubernetes.objects import mapping, text
from lab.plugins.provider.values import Properties

_OCI = "oci://"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NAME = "repository"  # of the only one in a private configuration
_UNREACHABLE = re.compile(r"Unable to get an update from the .*?:\n\t(.*)")
_NO_SUCH_CHART = re.compile(r'chart ".*" matching .* not found in ')
_DEVELOPMENT = ">0.0.0-0"
_TLS_FLAGS = (("caFile", "--ca-file"), ("certFile", "--cert-file"), ("keyFile", "--key-file"))


def is_remote_only(release: Properties) -> bool:
    """Tell whether the chart cannot be one of the program's own files."""
    return bool(_repository_url(release))


def has_stray_credentials(release: Properties) -> bool:
    """Tell whether there are credentials, but no repository or registry that they could be for."""
    options = mapping(release, "repositoryOpts")
    given = text(options, "username") or text(options, "password")
    return bool(given) and not _is_oci(release) and not _repository_url(release)


def reference(release: Properties) -> str:
    """Return the chart's name as helm knows it where it is in no repository given by address."""
    chart = text(release, "chart").strip()
    repository = text(release, "repositoryOpts", "repo")
    if repository and "/" not in chart and not _is_oci(release) and not _is_address(repository):
        return f"{repository}/{chart}"
    return chart


def pull(helm: Helm, release: Properties, folder: Path) -> Path:
    """Download the chart into an empty private folder and return its archive.

    Raises `HelmError`.
    """
    downloads = folder / "chart"
    downloads.mkdir(mode=0o700)
    arguments = ["pull", "--destination", str(downloads), *_version(release)]
    if is_set(release, "verify"):
        arguments += ["--verify", "--keyring", text(release, "keyring")]
    url = _repository_url(release)
    if url:
        _pull_from_repository(helm, release, url, folder, arguments)
    elif _is_oci(release):
        _pull_from_registry(helm, release, folder, arguments)
    else:
        helm.run(*arguments, "--", reference(release))
    return next(downloads.glob("*.tgz"))


def _pull_from_repository(
    helm: Helm, release: Properties, url: str, folder: Path, arguments: list[str]
) -> None:
    options = mapping(release, "repositoryOpts")
    entry = {key: value for key, value in options.items() if key != "repo" and value}
    configuration = folder / "repositories.yaml"
    content = {"apiVersion": "", "repositories": [{"name": _NAME, "url": url, **entry}]}
    _write_private(configuration, json.dumps(content))
    environment = {
        "HELM_REPOSITORY_CONFIG": str(configuration),
        "HELM_REPOSITORY_CACHE": str(folder / "index"),
    }
    try:
        helm.run("repo", "update", "--fail-on-repo-update-fail", environment=environment)
    except HelmError as error:
        why = _UNREACHABLE.search(error.output)
        raise HelmError(
            f'looks like "{url}" is not a valid chart repository or cannot be reached: '
            f"{why[1] if why else error}"
        ) from error
    chart = text(release, "chart").strip()
    try:
        helm.run(*arguments, "--", f"{_NAME}/{chart}", environment=environment)
    except HelmError as error:
        if not _NO_SUCH_CHART.match(str(error)):
            raise
        version = f' version "{wanted_version(release)}"' if wanted_version(release) else ""
        raise HelmError(f'chart "{chart}"{version} not found in {url} repository') from error


def _pull_from_registry(
    helm: Helm, release: Properties, folder: Path, arguments: list[str]
) -> None:
    options = mapping(release, "repositoryOpts")
    chart = text(release, "chart").strip()
    environment = {}
    username, password = text(options, "username"), text(options, "password")
    if username and password:
        configuration = folder / "registry.json"
        credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
        host = urllib.parse.urlsplit(chart).netloc
        _write_private(configuration, json.dumps({"auths": {host: {"auth": credentials}}}))
        environment["HELM_REGISTRY_CONFIG"] = str(configuration)
    for name, flag in _TLS_FLAGS:
        if text(options, name):
            arguments += [flag, text(options, name)]
    helm.run(*arguments, "--", chart, environment=environment)


def wanted_version(release: Properties) -> str:
    """Return the version, or the constraint, that is asked for; empty for the latest."""
    version = text(release, "version").strip()
    return version or (_DEVELOPMENT if is_set(release, "devel") else "")


def _version(release: Properties) -> list[str]:
    version = wanted_version(release)
    return ["--version", version] if version else []


def _repository_url(release: Properties) -> str:
    repository = text(release, "repositoryOpts", "repo")
    return repository if _is_address(repository) and not _is_oci(release) else ""


def _is_address(repository: str) -> bool:
    return repository.startswith("/") or bool(_SCHEME.match(repository))


def _is_oci(release: Properties) -> bool:
    return text(release, "chart").strip().startswith(_OCI)


def _write_private(path: Path, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)

"""Checks what a program says of a release, and completes it."""

import os
import secrets
from collections.abc import Iterator

from lab.plugins.kubernetes.helm import fields
from lab.plugins.kubernetes.helm.chart import prepared_chart
from lab.plugins.kubernetes.helm.command import Helm, HelmError
from lab.plugins.kubernetes.helm.repository import has_stray_credentials
from lab.plugins.kubernetes.helm.values import (
    mark_unknowns,
    merged,
    values_of_files,
    with_secret_files,
    without_unknowns,
)
from lab.plugins.kubernetes.objects import mapping, without
from lab.plugins.kubernetes.redaction import redacted
from lab.plugins.kubernetes.state import mark_secrets
from lab.plugins.provider.provider import Checked, Failure, ProviderError, resource_name
from lab.plugins.provider.values import (
    Properties,
    contains_unknown,
    reveal,
    reveal_properties,
)

_SUFFIX_BYTES = 4  # eight hexadecimal digits
_KEYRING = "$HOME/.gnupg/pubring.gpg"


def checked(
    helm: Helm, urn: str, olds: Properties, news: Properties, default_namespace: str
) -> Checked:
    """Return the inputs of a release with a name, defaults and the chart's exact version.

    Files of values are merged into the values. As long as anything is unknown the chart is not
    looked for. Raises `ProviderError` where there is no helm.
    """
    helm.require()
    files = news.get(fields.VALUE_FILES)
    found = [*fields.failures(news), *_stray_credentials(news)]
    from_files: Properties = {}
    try:
        from_files = values_of_files(files)
    except ProviderError as error:
        found.append(Failure(fields.VALUE_FILES, str(error)))
    if found:
        return Checked(without(news, (fields.VALUE_FILES,)), found)
    known = without_unknowns(reveal_properties(completed(urn, olds, news, default_namespace)))
    values = merged(from_files, mapping(known, "values"))
    release = fields.inputs_of(fields.complete(known, values))
    if not contains_unknown(news):
        try:
            with prepared_chart(helm, release) as chart:
                release["version"] = chart.version
        except HelmError as error:
            reason = f"{error}; check the chart name and repository configuration."
            found.append(Failure("chart", redacted(reason, news)))
    inputs = mark_secrets(mark_unknowns(release, news), news)
    return Checked(with_secret_files(inputs, files), found)


def completed(urn: str, olds: Properties, news: Properties, default_namespace: str) -> Properties:
    """Return a program's inputs with what it left to the plugin."""
    inputs = dict(news)
    if inputs.get("name") is None:
        inputs["name"] = olds.get("name", "")
    if reveal(inputs["name"]) == "":
        inputs["name"] = f"{resource_name(urn)}-{secrets.token_hex(_SUFFIX_BYTES)}"
    if reveal(inputs.get("namespace")) in (None, ""):
        inputs["namespace"] = default_namespace
    if reveal(inputs.get("skipAwait")) in (None, False) and inputs.get("timeout") is None:
        inputs["timeout"] = fields.DEFAULT_TIMEOUT_SECONDS
    if reveal(inputs.get("verify")) is True and reveal(inputs.get("keyring")) in (None, ""):
        inputs["keyring"] = os.path.expandvars(_KEYRING)
    return inputs


def _stray_credentials(news: Properties) -> Iterator[Failure]:
    if has_stray_credentials(reveal_properties(news)):
        yield Failure(
            "repositoryOpts",
            "repositoryOpts: the lab's own kubernetes plugin uses credentials only for a "
            "repository whose address is in repositoryOpts.repo, and for an oci:// chart",
        )

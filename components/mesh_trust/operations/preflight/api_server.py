"""Whether an API server answers, and as what."""

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mesh_trust.settings import Cluster

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding
from ..unreachable import UnreachableError
from .clocks import clock_finding

OLDEST = (1, 16)
"""The first that applies on the server's side, which all that the program makes depends on."""

STABLE = (1, 22)
"""The first in which that is no beta any more."""

TESTED = (1, 34)
"""What the tests run."""

WITHOUT_TOKENS = (1, 24)
"""The first that makes no token Secret for a service account by itself."""


def answer_findings(subject: str, client: ClusterClient) -> Iterator[Finding]:
    """Whether it answers at all."""
    about = About("api-server", subject)
    try:
        with client.reading("its version"):
            client.version.get_code()
    except UnreachableError as error:
        yield about.failed(str(error), error.fix)
    else:
        yield about.ok(f"it answers, and is reached by context {client.context}")


def version_findings(
    subject: str, client: ClusterClient, cluster: Cluster | None
) -> Iterator[Finding]:
    """Asks for version and time; `cluster` is what is configured of a workload cluster."""
    with client.reading("its version"):
        version, _, headers = client.version.get_code_with_http_info()
    yield _version_finding(About("api-version", subject), str(version.git_version), cluster)
    yield clock_finding(About("clock", subject), _time_in(headers))


def _version_finding(about: About, told: str, cluster: Cluster | None) -> Finding:
    found = re.match(r"v?(\d+)\.(\d+)", told)
    if found is None:
        return about.warning(f"its version is {told!r}", "see that it is an API server's")
    version = int(found[1]), int(found[2])
    if version < OLDEST:
        return about.failed(
            f"it is Kubernetes {told}, which knows no server-side apply",
            f"upgrade it to {_text(OLDEST)} or newer; from {_text(STABLE)} on it is no beta",
        )
    automatic = cluster is not None and cluster.login.get("reviewer_token") == "automatic"
    if automatic and version >= WITHOUT_TOKENS:
        place = "" if cluster is None else f"{cluster.place}."
        return about.failed(
            f"it is Kubernetes {told}, which makes no token Secret by itself",
            f"leave out {place}reviewerToken, or set it to created",
        )
    if version < STABLE:
        return about.warning(
            f"it is Kubernetes {told}, whose server-side apply is a beta",
            f"upgrade it to {_text(STABLE)} or newer, or try it out first; tested is "
            f"{_text(TESTED)}",
        )
    if version < WITHOUT_TOKENS and not automatic:
        return about.ok(
            f"Kubernetes {told}, which makes token Secrets by itself: reviewerToken: automatic "
            "would use them"
        )
    return about.ok(f"Kubernetes {told}")


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _time_in(headers: Any) -> datetime | None:
    told = headers.get("Date")
    return None if told is None else parsedate_to_datetime(told)

"""The objects of a release, by kind."""

from lab.plugins.kubernetes.helm.go_yaml import UnreadableYaml, parse_yaml, split_documents
from lab.plugins.kubernetes.objects import qualified_name, text
from lab.plugins.provider.values import Properties


def resource_names(manifest: str) -> Properties:
    """Return the names of a manifest's objects, sorted, by `Kind.group/group/version`.

    A name has its namespace before it only where the manifest says one. What has no kind, such as
    a document of comments, is left out.
    """
    names: dict[str, set[str]] = {}
    for document in split_documents(manifest):
        try:
            resource = parse_yaml(document)
        except UnreadableYaml:
            # Helm could read it, and the release is there: better without this name than lost.
            continue
        if not isinstance(resource, dict) or not text(resource, "kind"):
            continue
        api_version = text(resource, "apiVersion")
        group, _, _ = api_version.rpartition("/")
        kind = f"{text(resource, 'kind')}.{group}" if group else text(resource, "kind")
        names.setdefault(f"{kind}/{api_version}", set()).add(qualified_name(resource))
    return {kind: [*sorted(found)] for kind, found in names.items()}

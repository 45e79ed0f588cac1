"""Any path of Vault that no other resource type knows."""

import json

from typing_extensions import override

from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.resource import Made, Operations, Update, Vault
from lab.plugins.vault.schema import Field, Schema, Shape, Values


def _no_object(field: str, value: str) -> str | None:
    """Refuse what is not the JSON of an object; the value is not quoted, as it may be secret."""
    try:
        document = json.loads(value)
    except ValueError:
        document = None
    if isinstance(document, dict):
        return None
    return f"{field} must be a JSON object"


def _compact(value: Json) -> str:
    """Return the JSON as Go writes it: keys in order, no spaces, nothing that HTML could take."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _normal(text: str) -> str:
    return _compact(json.loads(text))


ENDPOINT = Schema(
    "vault:generic/endpoint:Endpoint",
    (
        Field("path", required=True, replaces=True),
        Field("data_json", required=True, secret=True, recorded_as=_normal, refuse=_no_object),
        Field("disable_read", Shape.BOOLEAN, default=False),
        Field("disable_delete", Shape.BOOLEAN, default=False),
        Field("ignore_absent_fields", Shape.BOOLEAN, default=False),
        Field("write_fields", Shape.LIST),
        Field("write_data_json", output=True),
        Field("write_data", Shape.MAP, output=True),
    ),
    state_version=1,
)


class EndpointOperations(Operations):
    """What is written to a path, which is its id."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> Made:
        """Write the data."""
        return _write(vault, str(planned["path"]), planned)

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the path, of which fields that were not given are left out if so asked."""
        if known.get("disable_read"):
            return {}
        with explaining(f"error reading {resource_id} from Vault"):
            found = vault.client.read(resource_id)
        if found is None:
            return None
        if known.get("ignore_absent_fields"):
            given: dict[str, Json] = json.loads(str(known["data_json"]))
            found = {name: found.get(name, value) for name, value in given.items()}
        return {
            "path": resource_id,
            "data_json": _compact(found),
            "disable_read": False,
            "ignore_absent_fields": bool(known.get("ignore_absent_fields")),
        }

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> Made:
        """Write the data again."""
        return _write(vault, resource_id, update.planned)

    @override
    def keeps(self, known: Values) -> bool:
        """Tell whether nothing is to be deleted."""
        return bool(known.get("disable_delete"))

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete the path."""
        with explaining(f'error deleting "{resource_id}" from Vault'):
            vault.client.delete(resource_id)


def _write(vault: Vault, path: str, planned: Values) -> Made:
    with explaining("error writing to Vault"):
        answer = vault.client.write(path, json.loads(str(planned["data_json"])))
    if answer is None:
        return Made(path, {"write_data_json": "null", "write_data": {}})
    wanted = planned["write_fields"]
    kept = {
        name: answer[name]
        for name in (wanted if isinstance(wanted, list) else ())
        if name in answer
    }
    texts: Values = {
        name: value if isinstance(value, str) else _compact(value) for name, value in kept.items()
    }
    return Made(path, {"write_data_json": _compact(kept), "write_data": texts})

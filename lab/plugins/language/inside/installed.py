"""Print the distributions installed for this interpreter, with their Pulumi plugin descriptions.

The output is a JSON list of objects with `name`, `version` and `plugin`: the content of the
distribution's pulumi-plugin.json, or null where it has none.
"""

import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path


def _plugin_description(distribution_name: str) -> object:
    spec = importlib.util.find_spec(distribution_name.replace("-", "_"))
    locations = (spec.submodule_search_locations if spec else None) or ()
    for location in locations:
        description = Path(location, "pulumi-plugin.json")
        if description.is_file():
            return json.loads(description.read_text(encoding="utf-8"))
    return None


def main() -> None:
    """Write the list to standard output."""
    # This script's folder is no place of the interpreter's packages.
    del sys.path[0]
    installed = [
        {
            "name": distribution.metadata["Name"],
            "version": distribution.version,
            "plugin": _plugin_description(distribution.metadata["Name"]),
        }
        for distribution in importlib.metadata.distributions()
    ]
    json.dump(installed, sys.stdout)


if __name__ == "__main__":
    main()

"""Plugins that are Python packages."""

import tomllib
from pathlib import Path

from lab.plugins.language.errors import LanguageHostError


def buildable_package(directory: Path) -> str | None:
    """The name of the package whose pyproject.toml is in the folder; None where none can be built.

    Raises `LanguageHostError` for a pyproject.toml that is not TOML.
    """
    file = directory / "pyproject.toml"
    if not file.exists():
        return None
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise LanguageHostError(f"{file} is not valid TOML: {error}") from error
    name = content.get("project", {}).get("name")
    backend = content.get("build-system", {}).get("build-backend")
    return str(name) if name and backend else None

"""The page that follows the published guide leads to what there is."""

import re

from lab.directory import CHECKOUT


def test_the_checks_that_it_names_are_there() -> None:
    page = (CHECKOUT / "docs" / "from-the-guide.md").read_text()
    for heading, of in (
        ("## Verify traffic uses the root CA", "verify.md"),
        ("## Troubleshoot errors", "preflight.md"),
    ):
        section = page.partition(heading)[2].partition("\n## ")[0]
        rows = re.findall(r"^\| .* \| (`.*) \|$", section, re.MULTILINE)
        named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)}
        described = (CHECKOUT / "docs" / of).read_text()
        assert named
        for name in named:
            assert re.search(rf"^\| .*`{name}`.* \|", described, re.MULTILINE), (name, of)


def test_its_sections_are_the_guides() -> None:
    page = (CHECKOUT / "docs" / "from-the-guide.md").read_text()
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == [
        "Before you begin",
        "Install and set up Vault",
        "Update Gloo's RBAC permissions",
        "Modify istiod",
        "Enable Vault as an intermediate CA provider",
        "Verify traffic uses the root CA",
        "Rotating certificates",
        "Troubleshoot errors",
    ]

"""YAML as helm itself reads it, scalar by scalar."""

import json
from pathlib import Path

import pytest

from lab.plugins.kubernetes.helm.go_yaml import (
    UnreadableYaml,
    parse_mapping,
    parse_yaml,
    split_documents,
)
from tests.conformance.kubernetes.helm.charts import write_chart
from tests.conformance.kubernetes.helm.conftest import Outsider

SCALARS = """
    y n Y N yes No ON off true FALSE tRUE null Null ~ nil
    0 1 -1 +1 007 08 010 0o17 0O17 0x1F -0x1f 0b101 -0b11 1_000 1__0 _1 0x 0b2 1234567890123456
    1.5 -1.5 +.5 .5 5. 1e3 1E3 1e+3 1e-2 -1e3 .5e1 1_0.5 1.2.3 1e 0.1e 6.0 1e400x 00 0_7 -010 +0b1
    12:30 1:30:00 2024-05-01 2024-05-01T10:00:00Z 10.0.0.1 v1.2 1.10 8h 0755 1,000 <<x = .
    "1" 'yes' "~" 'text' text "" ''
"""
DOCUMENTS = [
    "a: {1: x, 1.5: y, true: z, on: w}",
    "base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}",
    "text: |\n  one\n  two\nfolded: >-\n  one\n  two\n",
    "empty:\nlist: [1, 2]",
    "a: 1\n# comment only\nb: [yes, {c: no}]",
    "",
    "# nothing",
]


class Reader:
    """Has helm read a file of values."""

    def __init__(self, outsider: Outsider, folder: Path) -> None:
        self._outsider = outsider
        self._file = folder / "values.yaml"
        # Notes are a chart's only text that need not be an object.
        self._chart = write_chart(
            folder, templates={"NOTES.txt": "{{ toJson .Values }}"}, values={}
        )

    def read(self, text: str) -> object:
        self._file.write_text(text)
        printed = self._outsider.run(
            *("install", "x", str(self._chart), "--dry-run=client", "--output", "json"),
            *("--values", str(self._file)),
        )
        return json.loads(json.loads(printed)["info"]["notes"])


@pytest.fixture(scope="module")
def read_by_helm(outsider: Outsider, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(outsider, tmp_path_factory.mktemp("yaml"))


def test_scalars(read_by_helm: Reader) -> None:
    text = "list:\n" + "".join(f"- {scalar}\n" for scalar in SCALARS.split())

    assert json.dumps(parse_mapping(text)) == json.dumps(read_by_helm.read(text))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents(read_by_helm: Reader, document: str) -> None:
    assert parse_mapping(document) == read_by_helm.read(document)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "no YAML in line 1"),
        ("a: 1\n b: 2", "no YAML in line 2"),
        ("- 1", "no mapping at its top"),
        ("text", "no mapping at its top"),
        ("a: .inf", "a number that is not finite"),
        ("a: .nan", "a number that is not finite"),
        ("? [1]\n: 2", "no YAML in line 1|a key of type"),
        ("a: !!binary aGk=", "a value of type bytes"),
    ],
)
def test_what_is_not_read(text: str, reason: str) -> None:
    with pytest.raises(UnreadableYaml, match=reason):
        parse_mapping(text)


def test_documents_of_a_manifest() -> None:
    manifest = "---\n# Source: a\nkind: A\n---\n\n---\nkind: B\ntext: |\n  --- no end\n"

    assert [parse_yaml(document) for document in split_documents(manifest)] == [
        {"kind": "A"},
        {"kind": "B", "text": "--- no end\n"},
    ]

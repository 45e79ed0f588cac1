from typing import Any

import pytest

from mesh_trust.kubernetes_values import (
    object_reference,
    require_data_key,
    require_labels,
    require_object_name,
)
from mesh_trust.validation import InvalidInputError

LABEL = "a" * 63


@pytest.mark.parametrize(
    "name", ["a", "vault-ca", "1.b.c-d", f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}"]
)
def test_names_of_objects(name: str) -> None:
    assert require_object_name("name", name) == name
    assert object_reference("ref", {"name": name, "namespace": "a"})["name"] == name


@pytest.mark.parametrize(
    "name", ["", "A", "a_b", "a/b", "-a", "a.", "a..b", f"{LABEL}a", f"{LABEL}." * 4, 1, None]
)
def test_what_no_object_is_called(name: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^name: "):
        require_object_name("name", name)


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"a": ""},
        {"app": "istiod", "istio.io/rev": "1-20", "A_b.c": "D_e.f"},
        {LABEL: LABEL},
        {f"{LABEL}.{LABEL}/a": "a"},
    ],
)
def test_labels(labels: dict[str, str]) -> None:
    assert require_labels("labels", labels) == labels


@pytest.mark.parametrize(
    "labels",
    [
        *({"": "a"}, {"-a": "a"}, {"a/b/c": "a"}, {"/a": "a"}, {"A/a": "a"}, {"a/": "a"}, {1: "a"}),
        *({"a": "-"}, {"a": "b c"}, {"a": "b/c"}, {"a": f"{LABEL}a"}, {"a": 1}, {"a": None}),
        *(["a"], "a", None),
    ],
)
def test_what_no_object_has_for_labels(labels: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^labels: "):
        require_labels("labels", labels)


def test_keys_of_secrets() -> None:
    assert require_data_key("key", "root-cert.PEM_1") == "root-cert.PEM_1"
    for key in ("", "a/b", "a b", "k" * 254, None):
        with pytest.raises(InvalidInputError, match=r"^key: "):
            require_data_key("key", key)  # type: ignore[arg-type]

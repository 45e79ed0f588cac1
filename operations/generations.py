"""The generations of a stack's root, as its outputs tell them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from components.root_checks import fingerprint

from .errors import OperationError

_ROOTS, _SIGNING = "roots", "rootCertificate"
_ONLY = "first"
"""What the program calls the root of a stack that names no generations."""


@dataclass(frozen=True)
class Generation:
    """One root."""

    name: str
    certificate: x509.Certificate
    signing: bool
    """Whether new intermediates are signed with it."""

    def __str__(self) -> str:
        return f"{self.name} (SHA-256 {fingerprint(self.certificate)})"


def generations_of(outputs: Mapping[str, Any]) -> tuple[Generation, ...]:
    """Those in a stack's `outputs`.

    Raises:
        OperationError: the stack has no root yet.
    """
    listed = outputs.get(_ROOTS)
    if listed is None and outputs.get(_SIGNING) is not None:
        # Of an update before there were generations.
        listed = [{"name": _ONLY, "certificate": outputs[_SIGNING], "signing": True}]
    if not listed:
        raise OperationError("the stack has no root yet: run `pulumi up` first")
    return tuple(
        Generation(
            each["name"],
            x509.load_pem_x509_certificate(each["certificate"].encode()),
            each["signing"],
        )
        for each in listed
    )


def signing_of(generations: tuple[Generation, ...]) -> Generation:
    """The one that signs."""
    return next(each for each in generations if each.signing)


def named_after(certificate: x509.Certificate, generations: tuple[Generation, ...]) -> str:
    """What `certificate` is called: by its generation, else by its fingerprint."""
    for each in generations:
        if each.certificate == certificate:
            return each.name
    return f"a root that the stack does not have (SHA-256 {fingerprint(certificate)})"

"""The generations of a stack's root, as its outputs tell them."""

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509

from mesh_trust.environment.present_roots import PresentRoot as Generation
from mesh_trust.environment.present_roots import roots_in
from mesh_trust.root_checks import fingerprint

from .errors import OperationError

__all__ = ["Generation", "generations_of", "named_after", "signing_of"]


def generations_of(outputs: Mapping[str, Any]) -> tuple[Generation, ...]:
    """Those in a stack's `outputs`, in the order in which these list them.

    Raises:
        OperationError: the stack has no root yet.
    """
    generations = tuple(roots_in(outputs).values())
    if not generations:
        raise OperationError("the stack has no root yet: run `pulumi up` first")
    return generations


def signing_of(generations: Sequence[Generation]) -> Generation:
    """The one that signs."""
    return next(each for each in generations if each.signing)


def named_after(certificate: x509.Certificate, generations: Sequence[Generation]) -> str:
    """What `certificate` is called: by its generation, else by its fingerprint."""
    for each in generations:
        if each.certificate == certificate:
            return str(each)
    return f"a root that the stack does not have (SHA-256 {fingerprint(certificate)})"

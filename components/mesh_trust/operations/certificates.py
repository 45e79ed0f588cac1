"""Certificates that verify looks at, and how long they have left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from .finding import Finding, State


@dataclass(frozen=True)
class Thresholds:
    """From when on a certificate that ends is worth a word."""

    warn_days: float = 30
    """Days left below which it is warned of, ..."""
    warn_share: float = 1 / 3
    """... where that is less than this share of its whole lifetime, which matters to short ones."""
    fail_days: float = 0
    """Days left below which it is a failure; 0: when it has ended."""

    def judge(
        self, check: str, subject: str, what: str, certificate: x509.Certificate, fix: str
    ) -> Finding:
        """A finding on `certificate`, which a sentence calls `what`; `fix` renews it."""
        ends = certificate.not_valid_after_utc
        left = ends - datetime.now(UTC)
        whole = ends - certificate.not_valid_before_utc
        seen = f"{what} {_until(ends, left)}"
        if left <= timedelta(days=self.fail_days):
            return Finding(check, subject, State.FAILED, seen, fix)
        if left < min(timedelta(days=self.warn_days), whole * self.warn_share):
            return Finding(check, subject, State.WARNING, seen, fix)
        return Finding(check, subject, State.OK, seen)


def first_to_end(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The one of a bundle that ends first, but for those that have ended beside others."""
    valid = [each for each in certificates if each.not_valid_after_utc > datetime.now(UTC)]
    return min(valid or certificates, key=lambda each: each.not_valid_after_utc)


def loaded(pem: str) -> x509.Certificate:
    """The certificate in `pem`."""
    return x509.load_pem_x509_certificate(pem.encode())


def _until(ends: datetime, left: timedelta) -> str:
    if left <= timedelta():
        return f"has ended on {ends:%Y-%m-%d %H:%M} UTC"
    if left < timedelta(days=2):
        return f"is valid until {ends:%Y-%m-%d %H:%M} UTC, {left / timedelta(hours=1):.0f} hours"
    return f"is valid until {ends:%Y-%m-%d}, {left.days} days"

"""The exchange of istiod's agent with Vault, made by us, short-lived and cleaned up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from hvac.exceptions import (
    BadGateway,
    Forbidden,
    InternalServerError,
    RateLimitExceeded,
    VaultDown,
    VaultError,
    VaultNotInitialized,
)

from mesh_trust import InvalidInputError
from mesh_trust.issuing_chain import require_chain
from mesh_trust.names import csr_path, signing_mount_path
from mesh_trust.readiness import on_one_line

from .cluster_client import ClusterClient
from .expected import Expected, ExpectedTrust
from .unreachable import UnreachableError
from .vault_client import vault_client

# The least that an API server gives.
_TOKEN_SECONDS = 600
_COMMON_NAME = "mesh-trust verify"
_LIFETIME = "1h"
# Answers by which Vault says nothing of what it was asked.
_NO_ANSWERS = (BadGateway, InternalServerError, RateLimitExceeded, VaultDown, VaultNotInitialized)


class RefusedError(Exception):
    """Vault refuses a step of the exchange; the message is what it says, on a single line."""


def with_remains(seen: str, left: Sequence[str]) -> str:
    """`seen`, and what stays in Vault of what was tried."""
    return f"{seen}; what stays: {'; '.join(left)}" if left else seen


@dataclass(frozen=True)
class Login:
    """A token of Vault's, as the agent would have it."""

    token: str
    accessor: str


class Exchange:
    """The exchange of one cluster's agent, with one of its accounts."""

    def __init__(
        self, expected: Expected, trust: ExpectedTrust, client: ClusterClient, account: str
    ) -> None:
        self._expected = expected
        self._trust = trust
        self._cluster = client
        self.account = account
        # That of whoever verifies, who may clean up what the agent may not.
        self._own = vault_client(expected.stack)

    def log_in(self) -> Login:
        """Logs in with a token of the account, which lasts ten minutes.

        Raises:
            RefusedError: Vault does not let it in.
            UnreachableError: the cluster gives no token, or Vault does not answer.
        """
        names = self._trust.cluster.names
        answer = self._asked(
            "", f"auth/{names.auth_mount}/login", {"role": names.role, "jwt": self._token()}
        )
        return Login(answer["auth"]["client_token"], answer["auth"]["accessor"])

    def make_and_sign(self, login: Login) -> list[str]:
        """Has an intermediate made and signed, checks its chain, and takes it back.

        Gives what stays of it, or says so in the error.

        Raises:
            RefusedError: Vault refuses a step, or the chain does not end in the stack's root.
            UnreachableError: Vault does not answer.
        """
        request = self._asked(
            login.token,
            csr_path(self._trust.cluster.names.intermediate_mount),
            {"common_name": _COMMON_NAME, "key_type": "rsa", "key_bits": 2048},
        )["data"]
        left: list[str] = []
        try:
            self._sign(login, request, left)
        except RefusedError as error:
            raise RefusedError(with_remains(str(error), left)) from None
        except UnreachableError as error:
            raise UnreachableError(with_remains(str(error), left), error.fix) from None
        return left

    def _sign(self, login: Login, request: dict[str, Any], left: list[str]) -> None:
        """Has `request` signed, and takes back what is made; `left` takes what stays."""
        serial = None
        try:
            signed = self._asked(
                login.token,
                self._trust.args["ca_path"],
                {"csr": request["csr"], "common_name": _COMMON_NAME, "ttl": _LIFETIME},
            )["data"]
            serial = signed["serial_number"]
            self._check(request["private_key"], signed)
        finally:
            left += self._delete_key(request.get("key_id"))
            if serial is not None:
                left += self._revoke_certificate(serial)

    def log_out(self, login: Login) -> list[str]:
        """Revokes the token; gives what stays."""
        try:
            self._asked(login.token, "auth/token/revoke-self", {})
        except (RefusedError, UnreachableError):
            # Without Vault's policy default a token may not end itself.
            try:
                self._asked_by_us("auth/token/revoke-accessor", {"accessor": login.accessor})
            except (RefusedError, UnreachableError) as error:
                seconds = self._trust.login_role.token_ttl_seconds
                return [f"a login of {self.account}, for {seconds} s ({error})"]
        return []

    def _token(self) -> str:
        login = self._trust.cluster.login
        audience, audiences = login.get("audience"), list[str]()
        if audience:
            audiences = [audience]
            if self._trust.mode == "client":
                # It is also what the API server is asked with.
                audiences += self._own_audiences()
        return self._requested(audiences).token

    def _own_audiences(self) -> Sequence[str]:
        """Those that the API server gives to a token by itself."""
        return list(self._requested([]).audiences)

    def _requested(self, audiences: Sequence[str]) -> "_Token":
        namespace = self._trust.cluster.istio.namespace
        body = {"spec": {"expirationSeconds": _TOKEN_SECONDS, "audiences": list(audiences)}}
        what = f"tokens of service accounts in {namespace} (create serviceaccounts/token)"
        ask = self._cluster.core.create_namespaced_service_account_token
        answer = self._cluster.found(what, ask, self.account, namespace, body)
        if answer is None:
            raise UnreachableError(
                f"there is no service account {namespace}/{self.account} to log in as",
                "install Istio there, or name its account: istiodServiceAccount",
            )
        return _Token(answer.status.token, tuple(answer.spec.audiences or ()))

    def _check(self, private_key_pem: str, signed: dict[str, Any]) -> None:
        certificate = x509.load_pem_x509_certificate(signed["certificate"].encode())
        issuing = x509.load_pem_x509_certificate(signed["issuing_ca"].encode())
        mount = signing_mount_path(self._trust.args["ca_path"])
        try:
            certificate.verify_directly_issued_by(issuing)
            require_chain(
                "chain",
                mount,
                self._expected.root_pem,
                signed["issuing_ca"],
                [each for each in signed.get("ca_chain") or () if each != signed["certificate"]],
            )
        except InvalidInputError as error:
            raise RefusedError(f"the chain does not hold: {error.fix}") from None
        except (ValueError, TypeError, InvalidSignature) as error:
            raise RefusedError(f"the chain does not hold: {error}") from None
        key = load_pem_private_key(private_key_pem.encode(), None).public_key()
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        if key.public_bytes(*form) != certificate.public_key().public_bytes(*form):
            raise RefusedError("the certificate is of another key than the one that was made")

    def _delete_key(self, key_id: str | None) -> list[str]:
        mount = self._trust.cluster.names.intermediate_mount
        if key_id is None:
            return [f"its key in {mount}/keys, which Vault does not name"]
        try:
            self._asked_by_us(f"{mount}/key/{key_id}", None)
        except (RefusedError, UnreachableError) as error:
            return [f"its key {mount}/key/{key_id} ({error})"]
        return []

    def _revoke_certificate(self, serial: str) -> list[str]:
        mount = signing_mount_path(self._trust.args["ca_path"])
        try:
            self._asked_by_us(f"{mount}/revoke", {"serial_number": serial})
        except (RefusedError, UnreachableError) as error:
            return [f"its certificate {mount}/cert/{serial}, for an hour ({error})"]
        return []

    def _asked(self, token: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _answer(vault_client(self._expected.stack, token), path, body)

    def _asked_by_us(self, path: str, body: dict[str, Any] | None) -> None:
        """Posts with VAULT_TOKEN; deletes where there is no body."""
        _answer(self._own, path, body)


@dataclass(frozen=True)
class _Token:
    token: str
    audiences: tuple[str, ...]


def _answer(client: Any, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    try:
        if body is None:
            client.delete(path)
            return {}
        answer = client.adapter.post(f"/v1/{path}", json=body)
    except Forbidden as error:
        raise RefusedError(f"Vault refuses {path}: {_said(error)}") from None
    except _NO_ANSWERS as error:
        raise UnreachableError(
            f"Vault answers {path} with: {_said(error)}",
            "see that it runs, is unsealed and not overloaded: `vault status`, and its log",
        ) from None
    except VaultError as error:
        raise RefusedError(f"Vault answers {path} with: {_said(error)}") from None
    except requests.exceptions.RequestException as error:
        raise UnreachableError(
            f"Vault does not answer {path} ({on_one_line(str(error), 150)})",
            "see that it runs: `vault status`",
        ) from None
    return answer if isinstance(answer, dict) else {}


def _said(error: VaultError) -> str:
    errors = getattr(error, "errors", None)
    return on_one_line("; ".join(map(str, errors)) if errors else str(error), 150)

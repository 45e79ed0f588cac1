"""The connection to Vault that a configured provider works with."""

import os
import threading

import requests
import urllib3
from hvac.adapters import RawAdapter
from packaging.version import InvalidVersion, Version
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util import Retry

from lab.plugins.loopback import is_loopback
from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import VaultClient, explaining
from lab.plugins.vault.configuration import Configuration

_REQUEST_SECONDS = 60
_CONNECTIONS = 64
# A standby that is behind, and what a proxy or a Vault under load answers.
_RETRIED_STATUSES = frozenset({412, 500, 502, 503, 504})
_RETRY_BACKOFF = 0.5
_RETRY_BACKOFF_MAX_SECONDS = 1.5

_IMPORT_NAMESPACE_VARIABLE = "TERRAFORM_VAULT_NAMESPACE_IMPORT"


class VaultConnection:
    """Makes the clients, with a token of its own that Vault lets expire.

    Nothing is sent before the first client is asked for, as a preview may be configured for a
    Vault that is not there yet. The child token is not revoked at the end: what was leased with
    it would be revoked too.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._lock = threading.Lock()
        self._http = _http_client(configuration)
        self._token: str | None = None
        self._namespace = configuration.namespace
        self._version: Version | None = None

    def client(self, namespace: str | None = None) -> VaultClient:
        """Return a client for a namespace below the provider's own (Enterprise)."""
        with self._lock:
            if self._token is None:
                self._log_in()
        inner = (namespace or os.environ.get(_IMPORT_NAMESPACE_VARIABLE, "")).strip("/")
        path = "/".join(part for part in (self._namespace, inner) if part)
        return VaultClient(self._adapter(self._token, path))

    def supports(self, minimum: str) -> bool:
        """Tell whether Vault is of that version or a later one; false where it is not known."""
        version = self.version()
        return version is not None and version >= Version(minimum)

    def is_enterprise(self) -> bool:
        """Tell whether Vault is of the Enterprise edition."""
        version = self.version()
        return version is not None and "ent" in (version.local or "")

    def version(self) -> Version | None:
        """Return Vault's version, None where the configuration forbids to ask for it."""
        if self._configuration.version is None and not self._configuration.ask_version:
            return None
        with self._lock:
            if self._version is None:
                self._version = self._find_version()
            return self._version

    def _find_version(self) -> Version:
        text = self._configuration.version
        if text is None:
            client = VaultClient(self._adapter(None, ""))
            status = client.seal_status()
            text = str(status.get("version", ""))
        try:
            return Version(text)
        except InvalidVersion:
            raise ProviderError(f"{text!r} is not a version of Vault") from None

    def _log_in(self) -> None:
        configuration = self._configuration
        token: str = configuration.token
        given = VaultClient(self._adapter(token, ""))
        with explaining("failed to lookup token, err"):
            information = given.read("auth/token/lookup-self") or {}
        home = str(information.get("namespace_path", "")).strip("/")
        if configuration.child_token_seconds is not None:
            # A child is always made in its parent's namespace.
            parent = VaultClient(self._adapter(token, home))
            lifetime = f"{configuration.child_token_seconds}s"
            with explaining("failed to create limited child token"):
                answer = parent.post(
                    "auth/token/create",
                    {
                        "display_name": configuration.child_token_name,
                        "ttl": lifetime,
                        "explicit_max_ttl": lifetime,
                        "renewable": False,
                    },
                )
            token = answer["auth"]["client_token"]
        if not self._namespace and home and configuration.namespace_from_token:
            self._namespace = home
        self._token = token

    def _adapter(self, token: str | None, namespace: str) -> RawAdapter:
        return RawAdapter(
            base_uri=self._configuration.address.rstrip("/"),
            token=token,
            namespace=namespace or None,
            session=self._http,
            # What to verify against it takes from the session, but not that nothing is verified.
            verify=bool(self._http.verify),
            timeout=_REQUEST_SECONDS,
            ignore_exceptions=True,
        )


def _http_client(configuration: Configuration) -> requests.Session:
    retry = Retry(
        total=configuration.retries,
        status_forcelist=_RETRIED_STATUSES,
        allowed_methods=None,
        backoff_factor=_RETRY_BACKOFF,
        backoff_max=_RETRY_BACKOFF_MAX_SECONDS,
        raise_on_status=False,
    )
    http = requests.Session()
    verify = configuration.verify
    http.verify = verify if isinstance(verify, bool) else str(verify)
    if not verify:
        urllib3.disable_warnings(InsecureRequestWarning)
    # A proxy of the environment is not meant for this machine itself.
    http.trust_env = not is_loopback(configuration.address)
    adapter = HTTPAdapter(
        pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS, max_retries=retry
    )
    for scheme in ("http://", "https://"):
        http.mount(scheme, adapter)
    return http

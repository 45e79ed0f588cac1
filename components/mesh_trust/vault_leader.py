"""Looks whether a server of Vault leads, and gets what clients ask."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .readiness import Obstacle, on_one_line
from .vault_commands import VaultCommands
from .vault_health import REQUEST_SECONDS, ca_file_of, innermost
from .vault_session import vault_session

if TYPE_CHECKING:
    import requests

# Answered by the server that leads only, also to who has no token: with a refusal then.
_QUESTION = "/v1/auth/token/lookup-self"
_SERVER_ERRORS = 500


def leader_obstacle(
    address: str, ca_certificate: str | None, commands: VaultCommands | None = None
) -> Obstacle | None:
    """Why nobody answers, at the Vault of `address`, what only the server that leads can answer.

    None when it is answered: there, or where a server sends the client to, once, as Vault's own
    clients follow. `ca_certificate` and `commands` as in `health_obstacle`, which this supposes to
    find nothing.
    """
    if commands is None:
        commands = VaultCommands.at(address, None if ca_certificate is None else "FILE")
    # Imported here: a program that waits for nothing starts faster without it.
    import requests
    from urllib3.exceptions import HTTPError

    with ca_file_of(ca_certificate) as ca_file, vault_session(address, ca_file) as session:
        session.max_redirects = 1
        sent_to: list[str] = []

        def note(answer: "requests.Response", *_: object, **__: object) -> None:
            if answer.is_redirect:
                sent_to.append(_origin(answer.headers["Location"]))

        session.hooks["response"].append(note)
        try:
            answer = session.get(address.rstrip("/") + _QUESTION, timeout=REQUEST_SECONDS)
        except (requests.exceptions.RequestException, HTTPError) as error:
            if not sent_to:
                return _nobody(
                    address, commands, f"it does not answer: {on_one_line(innermost(error), 150)}"
                )
            return _nobody(
                address,
                commands,
                f"the server there sends clients on to {sent_to[0]}, where they get no answer: "
                f"{on_one_line(innermost(error), 150)}",
            )
    if answer.status_code >= _SERVER_ERRORS:
        return _nobody(address, commands, f"it answers {answer.status_code}")
    return None


def _nobody(address: str, commands: VaultCommands, why: str) -> Obstacle:
    return Obstacle(
        "no leader",
        f"no server of Vault at {address} leads, or none passes on to it what is asked ({why})",
        f"see which server leads: {commands.status}; a load balancer of your own may lead to that "
        "one only, which answers /v1/sys/health with 200",
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

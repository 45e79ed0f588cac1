"""What keys and tokens look like, and how they are hidden in text that is shown to a user."""

import re

HIDDEN = "…"

_TOKENS = r"eyJ[\w-]+(?:\.[\w-]*)*|\bhv[bsr]\.[\w-]+|\b[bsr]\.[A-Za-z0-9]{24,}"
TOKENS = re.compile(_TOKENS)
"""JSON Web Tokens, as those of Kubernetes are, whole or cut off, and tokens of Vault (service,
batch and recovery ones) in their present and former form."""

PRIVATE_KEYS = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]*PRIVATE KEY)-----.*?(-----END (?P=label)-----|\Z)", re.DOTALL
)
"""PEM, whole or cut off at its end."""

# Of text that others have written nobody knows where a key was cut.
_ANY_PEM = r"(?s:-----BEGIN .*?(?:-----END [A-Z ]+-----|\Z))"


def without_secrets(text: str, others: re.Pattern[str]) -> str:
    """The text with HIDDEN in place of what may be a key or token, and of what `others` matches.

    Of what else a secret may look like, the one who knows whose text it is knows best.
    """
    # As one pattern: the letters with which a token begins may stand within another secret.
    return re.sub(f"{_ANY_PEM}|{_TOKENS}|{others.pattern}", HIDDEN, text)

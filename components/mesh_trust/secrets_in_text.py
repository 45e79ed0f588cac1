"""Hides what may be a secret in the text of others that is shown to a user."""

import re

HIDDEN = "…"

# Keys and certificates, tokens of Kubernetes, and those of Vault in their present and former form.
_KNOWN = re.compile(
    r"-----BEGIN .*?(-----END [A-Z ]+-----|$)"
    r"|eyJ[\w-]+(\.[\w-]*)*"
    r"|\bhv[bsr]\.[\w-]+|\b[bsr]\.[A-Za-z0-9]{24,}",
    re.DOTALL,
)


def without_secrets(text: str, others: re.Pattern[str]) -> str:
    """The text with HIDDEN in place of what may be a key or token, and of what `others` matches.

    Of what else a secret may look like, the one who knows whose text it is knows best.
    """
    return others.sub(HIDDEN, _KNOWN.sub(HIDDEN, text))

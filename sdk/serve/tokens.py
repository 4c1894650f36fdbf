"""Who may use the service: bearer tokens from a file."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from pathlib import Path

from sdk.errors import OptionError
from sdk.serve.problem import Problem

__all__ = ["check_token", "load_tokens"]

# What an Authorization header can carry, RFC 6750; shorter ones can be guessed.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{16,512}=*")


def load_tokens(path: str | Path) -> tuple[str, ...]:
    """Return the tokens of a file, one on a line; empty lines and those with # are left out.

    Raises:
        OptionError: It cannot be read, holds none, or one that is too short or cannot be sent.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise OptionError(f"Cannot read the tokens in {path}: {reason}. Check the file.") from error
    found = [line.strip() for line in text.splitlines()]
    tokens = tuple(line for line in found if line and not line.startswith("#"))
    advice = "Write one on a line, at least 16 letters and digits: openssl rand -hex 24"
    if not tokens:
        raise OptionError(f"There is no token in {path}. {advice}.")
    for number, token in enumerate(tokens, 1):
        if not _TOKEN.fullmatch(token):  # without the token: this goes to the log
            raise OptionError(f"Token {number} in {path} is too short or cannot be sent. {advice}.")
    return tokens


def check_token(authorization: str, tokens: Iterable[str]) -> None:
    """Raise a Problem with status 401 unless a header carries one of the tokens.

    All are compared, each in a time that does not depend on where they differ.
    """
    scheme, _, sent = authorization.partition(" ")
    given = sent.strip().encode("utf-8", "replace")
    right = False
    for token in tokens:
        right |= hmac.compare_digest(given, token.encode())
    if scheme.lower() != "bearer" or not right:
        found = "There is no token" if not authorization else "The token is wrong"
        raise Problem(
            401,
            "unauthorized",
            f"{found}. Send the header Authorization: Bearer TOKEN with a token of this service.",
            {"WWW-Authenticate": 'Bearer realm="fots-lite"'},
        )

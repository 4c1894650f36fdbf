"""What is said to a client whose request fails."""

from __future__ import annotations

import json

__all__ = ["Problem", "problem_body"]


class Problem(Exception):  # noqa: N818 (an answer as much as an error)
    """An answer other than the one asked for.

    Attributes:
        status: HTTP status, 400 to 599.
        code: The kind, for programs: lowercase words joined by underscores.
        message: What failed, what was found, and what to do, for people.
        headers: Headers that belong to the status, such as Retry-After.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        """Keep the values."""
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def problem_body(code: str, message: str, *, inference: bool = False) -> bytes:
    """Return a problem as JSON.

    Args:
        code: Its kind.
        message: Its text.
        inference: Whether it goes out in the form of the Open Inference Protocol, whose "error" is
            a string.
    """
    error: object = message if inference else {"code": code, "message": message}
    return json.dumps({"error": error}, ensure_ascii=False).encode()

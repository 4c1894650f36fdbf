"""The error for an illegal value in `model.json`."""

from __future__ import annotations

from sdk.errors import ModelError

__all__ = ["wrong"]


def wrong(what: str, found: object, wanted: str) -> ModelError:
    """Return the error for an entry. A long value is shortened."""
    shown = repr(found)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return ModelError(
        f"The bundle's {what} is {shown}; it must be {wanted}. Correct model.json or export again."
    )

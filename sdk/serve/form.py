"""Formats of answers, and how a client chooses one."""

from __future__ import annotations

from sdk.serve.problem import Problem

__all__ = ["MEDIA_TYPES", "choose_form"]

# The first of a format is what its answers are called.
_TYPES = {
    "json": ("application/json",),
    "hocr": ("text/vnd.hocr+html", "text/html", "application/xhtml+xml"),
    "tsv": ("text/tab-separated-values",),
    "text": ("text/plain",),
}
MEDIA_TYPES = {
    form: types[0] if form == "json" else f"{types[0]}; charset=utf-8"
    for form, types in _TYPES.items()
}


def choose_form(accept: str, asked: str | None = None) -> str:
    """Return the format of an answer.

    Args:
        accept: The header Accept; empty takes JSON.
        asked: The parameter "format", which wins.

    Raises:
        Problem: There is no such format (422), or none that the client accepts (406).
    """
    if asked is not None:
        if asked not in _TYPES:
            raise Problem(
                422,
                "bad_option",
                f"There is no format {asked!r}. Choose one of {', '.join(_TYPES)}.",
            )
        return asked
    ranges = sorted(_ranges(accept or "*/*"), key=lambda item: -item[1])
    for wanted, quality in ranges:
        for form, types in _TYPES.items():
            if quality > 0 and any(_matches(wanted, kind) for kind in types):
                return form
    raise Problem(
        406,
        "not_acceptable",
        f"No format fits the header Accept: {accept}. "
        f"Ask for one of {', '.join(types[0] for types in _TYPES.values())}.",
    )


def _ranges(accept: str) -> list[tuple[str, float]]:
    """Return the media ranges of an Accept header with their qualities."""
    found = []
    for item in accept.split(","):
        wanted, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        found.append((wanted, quality))
    return found


def _matches(wanted: str, kind: str) -> bool:
    return wanted in ("*/*", kind) or wanted == f"{kind.partition('/')[0]}/*"

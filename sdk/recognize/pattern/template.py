"""Templates: the short form of a pattern for plates, dates and codes."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.errors import OptionError

__all__ = ["Template"]

_PLACES = {"A": "[A-Z]", "9": "[0-9]", "X": "[A-Z0-9]", " ": " ?", "?": "?"}


@dataclass(frozen=True, slots=True)
class Template:
    r"""A pattern written place by place.

    ``A`` is a capital letter, ``9`` a digit, ``X`` either. A space is optional. ``?`` makes the
    place before it optional. ``\`` takes the next character literally, as in ``\A``. All other
    characters stand for themselves. ``AA-?9999`` is ``AB-1234`` or ``AB1234``.

    Attributes:
        text: The template.

    Raises:
        OptionError: The template is empty, nothing stands before a ``?``, or nothing after a ``\``.
    """

    text: str

    def __post_init__(self) -> None:
        """Check the template."""
        if not isinstance(self.text, str):
            raise OptionError(f"template is {self.text!r}. Give a string such as 'AA-9999'.")
        if not self.text.strip():
            raise OptionError("The template is empty. Give a template such as 'AA-9999'.")
        self._translate()

    @property
    def regex(self) -> str:
        """The template as a regular expression."""
        return self._translate()

    def _translate(self) -> str:
        parts: list[str] = []
        repeatable = False
        places = iter(self.text)
        for place in places:
            if place == "?" and not repeatable:
                raise OptionError(
                    f"template is {self.text!r}: a '?' must follow a place, not a space or "
                    "another '?'. Write \\? for a question mark."
                )
            repeatable = place not in ("?", " ")
            if place == "\\":
                place = next(places, "")
                if not place:
                    raise OptionError(
                        f"template is {self.text!r}: nothing follows the last '\\'. "
                        "Write \\\\ for a backslash."
                    )
                parts.append(_literal(place))
            else:
                parts.append(_PLACES.get(place) or _literal(place))
        return "".join(parts)


def _literal(character: str) -> str:
    return character if character.isalnum() or character.isspace() else f"\\{character}"

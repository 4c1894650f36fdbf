"""The parameters of a request, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sdk.errors import OptionError
from sdk.recognize.pattern.template import Template
from sdk.region import Region

__all__ = ["ReadOptions"]

NAMES = (
    "charset",
    "pattern",
    "template",
    "min_confidence",
    "literal",
    "whole_lines",
    "region",
    "page",
    "format",
)


@dataclass(frozen=True)
class ReadOptions:
    """How a picture is read.

    Attributes:
        charset: Characters that may occur; None allows all.
        pattern: What whole lines may look like, any of them; None allows all.
        min_confidence: Lines less sure than this are left out; None takes the default.
        literal: Whether known words leave misprinted ones alone.
        whole_lines: Whether wide gaps leave lines whole.
        region: x, y, width, height of the part that is read, as shares of the picture.
        page: Number of a page of a TIFF or PDF file; None takes the first.
        format: Name of the answer's format, which wins over the header Accept.
    """

    charset: str | None = None
    pattern: tuple[str | Template, ...] | None = None
    min_confidence: float | None = None
    literal: bool = False
    whole_lines: bool = False
    region: Region | None = None
    page: int | None = None
    format: str | None = None

    @classmethod
    def of(cls, values: Mapping[str, Sequence[Any]]) -> ReadOptions:
        """Return the options that a request gives, strings or what JSON has.

        Raises:
            OptionError: A name is unknown, or a value is not legal.
        """
        for name in values:
            if name not in NAMES:
                raise OptionError(
                    f"There is no parameter {name!r}. Choose from {', '.join(NAMES)}."
                )
        patterns: list[str | Template] = [_text("pattern", x) for x in values.get("pattern", ())]
        patterns += [Template(_text("template", x)) for x in values.get("template", ())]
        charset, share = _last(values, "charset"), _last(values, "min_confidence")
        region, page = _last(values, "region"), _last(values, "page")
        form = _last(values, "format")
        return cls(
            charset=None if charset is None else _text("charset", charset),
            pattern=tuple(patterns) or None,
            min_confidence=None if share is None else _share(share),
            literal=_flag("literal", _last(values, "literal")),
            whole_lines=_flag("whole_lines", _last(values, "whole_lines")),
            region=None if region is None else _region(region),
            page=None if page is None else _page(page),
            format=None if form is None else _text("format", form),
        )


def _last(values: Mapping[str, Sequence[Any]], name: str) -> Any:
    """Return the last value of a name, the nearest to the picture; empty strings are none."""
    found = values.get(name)
    return None if not found or found[-1] == "" else found[-1]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise OptionError(f"{name} is {value!r}. Give a text that is not empty.")
    return value


def _share(value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise OptionError(f"min_confidence is {value!r}. Give a number from 0 to 1.") from error


def _flag(name: str, value: Any) -> bool:
    if value in (True, "true", "1"):
        return True
    if value in (None, False, "false", "0"):
        return False
    raise OptionError(f"{name} is {value!r}. Give true or false.")


def _region(value: Any) -> Region:
    parts: Any = value.split(",") if isinstance(value, str) else value
    return Region.of(parts)


def _page(value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value[:10])
    if type(value) is not int or value < 1:
        raise OptionError(f"page is {value!r}. Give the number of a page, counted from 1.")
    return value

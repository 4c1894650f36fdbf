"""Types of arguments on command lines, for argparse."""

from __future__ import annotations

import argparse
import math

__all__ = ["charset", "page_numbers", "positive_int", "seconds", "share"]


def positive_int(text: str) -> int:
    """Return a whole number of at least 1, for argparse."""
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def share(text: str) -> float:
    """Return a number from 0 to 1, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def page_numbers(text: str) -> list[range] | None:
    """Return ranges of page numbers, counted from 1, or None for all pages, for argparse."""
    if text == "all":
        return None
    ranges = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low = positive_int(first)
        high = positive_int(last) if dash else low
        if high < low:
            raise argparse.ArgumentTypeError(f"{part!r} ends before it begins")
        ranges.append(range(low, high + 1))
    return ranges


def seconds(text: str) -> float:
    """Return a time of 0 or more seconds, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return value


def charset(text: str) -> str:
    """Return a non-empty set of characters, for argparse."""
    if not text:
        raise argparse.ArgumentTypeError("give at least one character")
    return text

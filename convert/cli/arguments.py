"""Types of arguments, and messages on the progress."""

from __future__ import annotations

import argparse
import re
import sys

__all__ = ["say", "size"]


def size(text: str) -> tuple[int, int]:
    """Return (height, width) of a size written as WIDTHxHEIGHT."""
    match = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 640x640")
    return int(match[2]), int(match[1])


def say(message: str) -> None:
    """Write a line of progress to standard error."""
    print(message, file=sys.stderr, flush=True)

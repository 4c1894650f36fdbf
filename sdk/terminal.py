"""Text for terminals, without control characters.

File names, messages of other machines and damaged data may hold any characters, and a terminal
executes control characters as commands.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

__all__ = ["json_line", "printable"]

# Control characters that JSON does not escape: delete, C1 controls, and bidirectional marks.
_COMMANDS = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return a text with U+FFFD for each control, format character and undecodable byte."""
    return "".join(char if _is_shown(char) else "\ufffd" for char in text)


def json_line(value: Any) -> str:
    """Return a value as JSON on one line, with control characters escaped."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _is_shown(char: str) -> bool:
    # Python counts spaces of other widths as not printable
    return char.isprintable() or unicodedata.category(char) == "Zs"

"""`Note`: a remark of a reading on text that it may lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdk import plain

__all__ = ["Note"]


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on text that a reading may lack, although no step failed.

    Attributes:
        code: Kind of the note, for programs: lowercase words joined by underscores, such as
            "pages_left_out".
        text: What was left out or is doubtful, and what to do, for people.
    """

    code: str
    text: str

    def to_dict(self) -> dict[str, str]:
        """Return the fields by name."""
        return {"code": self.code, "text": self.text}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Note:
        """Rebuild a note from `to_dict`.

        Raises:
            SdkError: A key is missing or unknown, or a value is not a string.
        """
        plain.check_keys(data, cls)
        return cls(plain.text(data, "code", "Note"), plain.text(data, "text", "Note"))

"""Label words, units, month names and syllables from `phrases.txt`."""

from __future__ import annotations

from pathlib import Path


def _load() -> dict[str, tuple[str, ...]]:
    sections: dict[str, list[str]] = {}
    name = ""
    for line in Path(__file__).with_name("phrases.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            sections[name] = []
        elif line and not line.startswith("#"):
            sections[name].extend(entry.strip() for entry in line.split("|"))
    return {name: tuple(entries) for name, entries in sections.items()}


PHRASES = _load()
"""Entries of each section, in the file's order."""

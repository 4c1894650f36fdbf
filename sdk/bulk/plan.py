"""`Plan`: all that decides the output of a run, and the manifest that guards it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sdk.errors import OptionError, SdkError
from sdk.recognize.pattern.template import Template

__all__ = ["MANIFEST", "SUCCESS", "Options", "Plan", "keys_digest"]

MANIFEST = "manifest.json"
SUCCESS = "_SUCCESS"
SCHEMA = 1


@dataclass(frozen=True)
class Options:
    """How the photos are read; the same for all of them.

    Attributes:
        model: Name of an installed bundle, or a folder at the same place on every node; None for
            the packaged bundle.
        variant: Variant of the bundle; None for the one that fits the CPU.
        charset: Characters that may occur; None allows all.
        patterns: Regular expressions of whole lines; empty allows all.
        templates: Templates of whole lines, alternatives to `patterns`.
        min_confidence: Least confidence of a line; None for the model's bound.
        literal: Whether known words leave misprinted ones alone.
        whole_lines: Whether wide gaps leave lines whole.
        max_pixels: Largest number of pixels of a page.
        form: "jsonl" or "parquet".
    """

    model: str | None
    variant: str | None
    charset: str | None
    patterns: tuple[str, ...]
    templates: tuple[str, ...]
    min_confidence: float | None
    literal: bool
    whole_lines: bool
    max_pixels: int
    form: str

    @property
    def pattern(self) -> list[str | Template] | None:
        """What whole lines may look like, for `Reader.read`."""
        return [*self.patterns, *map(Template, self.templates)] or None


@dataclass(frozen=True)
class Plan:
    """What a run reads and writes.

    Attributes:
        source: Address of the photos.
        output: Address of the part files.
        keys: Names of the photos below the source, sorted.
        chunk: Photos in a chunk.
        options: How the photos are read.
        environment: Versions and model that decide what is read.
    """

    source: str
    output: str
    keys: Sequence[str]
    chunk: int
    options: Options
    environment: dict[str, str]

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-len(self.keys) // self.chunk)

    def keys_of(self, number: int) -> Sequence[str]:
        """Return the keys of a chunk."""
        return self.keys[number * self.chunk : (number + 1) * self.chunk]

    def manifest(self) -> dict[str, Any]:
        """Return what must not change between two starts, as JSON values."""
        options = asdict(self.options)
        del options["model"]  # the place of a bundle may change, its content may not
        values = {
            "schema": SCHEMA,
            "photos": len(self.keys),
            "keys_sha256": keys_digest(self.keys),
            "chunk": self.chunk,
            "options": options,
            "environment": self.environment,
        }
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain

    def check_manifest(self, data: bytes) -> None:
        """Refuse the manifest of another run.

        Raises:
            OptionError: The output was made from other photos, or in another way.
            SdkError: The manifest is damaged.
        """
        try:
            saved = _flat(json.loads(data))
        except (ValueError, AttributeError) as error:
            raise SdkError(f"{self.output}/{MANIFEST} is damaged: {error}.") from error
        mine = _flat(self.manifest())
        other = [
            f"{name} is {saved.get(name)!r} there, {mine.get(name)!r} now"
            for name in sorted({*saved, *mine})
            if saved.get(name) != mine.get(name)
        ]
        if other:
            raise OptionError(
                f"{self.output} holds the output of another run: {'; '.join(other)}. "
                "Choose another --output, or start as before."
            )


def keys_digest(keys: Sequence[str]) -> str:
    """Return the SHA-256 of keys in order."""
    digest = hashlib.sha256()
    for key in keys:
        digest.update(f"{key}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Return nested values by names such as ``options.charset``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found.update({f"{name}.{inner}": x for inner, x in _flat(value).items()})
        else:
            found[name] = value
    return found

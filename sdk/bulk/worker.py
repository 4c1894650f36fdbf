"""What runs on the nodes: read the photos of a chunk and write its part."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdk.bulk.parts import Counts, count, decode, encode
from sdk.bulk.plan import Options, keys_digest
from sdk.bulk.store import Store
from sdk.cluster.versions import check_same, reader_origin
from sdk.errors import ClusterError, DeviceError, ModelError, OptionError, SdkError
from sdk.native_notes import native_notes_to_log
from sdk.reader import Reader

__all__ = ["Terms", "check_part", "environment", "read_part", "read_rows"]


@dataclass(frozen=True)
class Terms:
    """What the nodes must agree on.

    Attributes:
        source: Address of the photos.
        output: Address of the part files.
        options: How the photos are read.
        environment: Versions and model of the head.
    """

    source: str
    output: str
    options: Options
    environment: dict[str, str]


def environment(options: Options) -> dict[str, str]:
    """Return the versions and the model that decide what is read, in this process.

    Raises:
        ModelError: The bundle is missing or damaged, or has no such variant.
        DeviceError: No interpreter is installed.
    """
    found = reader_origin(options.model, options.variant)
    if options.form == "parquet":
        import pyarrow

        found["pyarrow"] = pyarrow.__version__
    return found


@functools.lru_cache(maxsize=1)
def _reader(model: str | None, variant: str | None) -> Reader:
    """Return the reader of this process; each task has one core."""
    with native_notes_to_log():
        return Reader(model, device="cpu", threads=1, variant=variant)


_checked: list[Terms] = []


def _check_node(terms: Terms) -> None:
    """Refuse this node if it would read in another way than the head, once in each process."""
    if terms in _checked:
        return
    try:
        check_same(terms.environment, environment(terms.options))
    except ModelError as error:
        raise ClusterError(f"{error} The model must be at the same place on every node.") from error
    _checked[:] = [terms]


def read_part(terms: Terms, name: str, keys: Sequence[str]) -> tuple[Counts, int]:
    """Read photos and write their part; return what it holds and its bytes.

    Raises:
        ClusterError: This node differs from the head, or does not see the source.
        SdkError: The part cannot be written.
    """
    rows = [row for key in keys for row in read_rows(terms, key)]
    data = encode(rows, terms.options.form)
    Store(terms.output).write(name, data)
    return count(rows)[0], len(data)


def read_rows(terms: Terms, key: str) -> list[dict[str, Any]]:
    """Return the rows of a photo: one for each page, or the error of the photo.

    Raises:
        ClusterError: This node differs from the head, or does not see the source.
    """
    _check_node(terms)
    options = terms.options
    source = Store(terms.source)
    try:
        data = source.read(key)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        _check_source(source)
        return [{"key": key, "error": f"Cannot read the file: {type(error).__name__}."}]
    rows = []
    try:
        pages = _reader(options.model, options.variant).read_pages(
            data,
            charset=options.charset,
            pattern=options.pattern,
            min_confidence=options.min_confidence,
            words=not options.literal,
            cells=not options.whole_lines,
            max_pixels=options.max_pixels,
        )
        for reading in pages:
            row = reading.to_dict()
            del row["timing"]  # differs between two runs
            rows.append({"key": key, **row})
    except (ModelError, DeviceError, OptionError):
        raise  # every photo would fail
    except SdkError as error:
        rows.append({"key": key, "error": str(error)})
    return rows


def _check_source(source: Store) -> None:
    """Tell a missing photo from a node without the source.

    Raises:
        ClusterError: This node does not see the source.
    """
    try:
        source.look()
    except OSError as error:
        raise ClusterError(
            f"It does not see {source.address}: {error}. Mount the folder at the same place on "
            "every node, or give the node the rights."
        ) from error


def check_part(terms: Terms, name: str, keys: Sequence[str]) -> tuple[Counts, int] | None:
    """Return what an existing part holds, and its bytes; None if it is not the part of the keys."""
    data = Store(terms.output).read(name)
    try:
        counts, digest = count(decode(data, terms.options.form))
    except (ValueError, KeyError, TypeError):
        return None
    return (counts, len(data)) if digest == keys_digest(keys) else None

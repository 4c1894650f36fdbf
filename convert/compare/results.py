"""A comparison from the names of its data to its files: table, CSV and picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from convert.compare.compare import Entry, compare
from convert.compare.report import as_csv, as_picture, as_text
from convert.errors import ConvertError
from sdk.errors import SdkError
from sdk.files import write_atomically
from training.data.sets import find_sets
from training.errors import TrainingError

__all__ = ["sets_of", "write_comparison"]


def sets_of(data: Sequence[Path]) -> list[Path]:
    """Return the labeled sets of folders.

    Raises:
        ConvertError: A folder holds none.
    """
    try:
        return [path for folder in data for path in find_sets(folder)]
    except TrainingError as error:
        raise ConvertError(str(error)) from error


def write_comparison(
    entries: Sequence[Entry],
    sets: Sequence[Path],
    out: Path,
    say: Callable[[str], None],
    *,
    limit: int | None = None,
    threads: int | None = None,
    force: bool = False,
) -> str:
    """Compare variants, write ``compare.txt``, ``.csv`` and ``.png``, and return the table.

    Args:
        entries: The variants; gains and losses are relative to the first.
        sets: Labeled sets.
        out: Folder for the results; an interrupted comparison goes on there.
        say: Called with messages on the progress.
        limit: Greatest number of pictures of each set.
        threads: CPU threads; None for the SDK's.
        force: Whether the results of another comparison are replaced.

    Raises:
        ConvertError: A picture or a bundle cannot be read, or the results cannot be written.
    """
    rows = compare(entries, sets, out, limit, threads, say, force)
    text = as_text(entries, rows)
    try:
        write_atomically(out / "compare.txt", (text + "\n").encode())
        write_atomically(out / "compare.csv", as_csv(entries, rows).encode())
        write_atomically(out / "compare.png", as_picture(entries, rows))
    except SdkError as error:
        raise ConvertError(str(error)) from error
    return text

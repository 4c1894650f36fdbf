"""The counts of products in a shift, which starts when a person says so."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from sdk.files import write_atomically
from sdk.station import History
from sdk.station.tables import build, dump_toml, parse_toml, read_text, to_table
from sdk.station.verdict import STATUSES

__all__ = ["Shift", "begin_shift", "load_shift"]

_FILE = "shift.toml"


@dataclass(frozen=True, slots=True)
class Shift:
    """The numbers of products by verdict.

    Attributes:
        since: Start of the shift, Unix seconds.
        ok: Number of OK products.
        ng: Number of NG products.
        unreadable: Number of unreadable products.
    """

    since: float = 0.0
    ok: int = 0
    ng: int = 0
    unreadable: int = 0

    @property
    def share_ok(self) -> float | None:
        """Share of OK products, 0..1. None without a product."""
        total = self.ok + self.ng + self.unreadable
        return self.ok / total if total else None

    def counted(self, status: str) -> Shift:
        """Return the shift with one more product."""
        return replace(self, **{status: getattr(self, status) + 1})


def load_shift(folder: Path, history: History) -> Shift:
    """Return the current shift of a folder, with counts from the history.

    The first start in a folder begins a shift.

    Raises:
        SdkError: The shift cannot be read, counted or written.
    """
    path = folder / _FILE
    if not path.exists():
        return begin_shift(folder)
    table = parse_toml(read_text(path), str(path))
    since = build(_Begin, table, str(path)).since
    jobs = history.statistics("job", since=since)
    ok, ng, unreadable = (sum(getattr(job, name) for job in jobs) for name in STATUSES)
    return Shift(since, ok, ng, unreadable)


def begin_shift(folder: Path) -> Shift:
    """Return a new shift that begins now, and write its start to a folder.

    Raises:
        SdkError: The start cannot be written.
    """
    begin = _Begin(time.time())
    write_atomically(folder / _FILE, dump_toml(to_table(begin)).encode())
    return Shift(begin.since)


@dataclass(frozen=True, slots=True)
class _Begin:
    """The content of the file. The counts come from the history."""

    since: float

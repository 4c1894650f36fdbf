"""The products of a shift, counted from a moment that a person chose."""

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
    """How many products there were of each verdict.

    Attributes:
        since: When the shift began, Unix seconds.
        ok: Good products.
        ng: Bad ones.
        unreadable: Those that could not be read.
    """

    since: float = 0.0
    ok: int = 0
    ng: int = 0
    unreadable: int = 0

    @property
    def share_ok(self) -> float | None:
        """The share of good products, 0..1; None without a product."""
        total = self.ok + self.ng + self.unreadable
        return self.ok / total if total else None

    def counted(self, status: str) -> Shift:
        """Return the shift with one more product."""
        return replace(self, **{status: getattr(self, status) + 1})


def load_shift(folder: Path, history: History) -> Shift:
    """Return the shift that a folder remembers, its products counted in the history.

    The first start in a folder begins one.

    Raises:
        SdkError: It cannot be read, counted or written.
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
    """Return a new shift that begins now, and remember it in a folder.

    Raises:
        SdkError: It cannot be written.
    """
    begin = _Begin(time.time())
    write_atomically(folder / _FILE, dump_toml(to_table(begin)).encode())
    return Shift(begin.since)


@dataclass(frozen=True, slots=True)
class _Begin:
    """What is remembered: the numbers are in the history."""

    since: float

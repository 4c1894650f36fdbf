"""The history of an inspection station: all verdicts with their pictures, in SQLite."""

from __future__ import annotations

from sdk.station.history.history import History
from sdk.station.history.record import Record, Statistic

__all__ = ["History", "Record", "Statistic"]

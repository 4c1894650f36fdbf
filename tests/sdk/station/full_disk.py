"""Writes a history until files may not grow any more, then goes on when they may again.

Run as a program of its own, for the limit is the whole process's.
    python -m tests.sdk.station.full_disk FOLDER
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np

from sdk.errors import HistoryError
from sdk.station import History, Job, judge
from tests.sdk.station.readings import make_reading

IMAGE = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
VERDICT = judge(Job("job"), make_reading("L1"))


def set_limit(size: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def is_refused(history: History, added: list[int]) -> bool:
    try:
        added.append(history.add(VERDICT, IMAGE))
    except HistoryError as error:
        assert "Cannot record the verdict in" in str(error), error
        assert "MB of free space" in str(error), error
        return True
    return False


def main(folder: str) -> None:
    with History(Path(folder) / "line.db", pictures="all") as history:
        added = [history.add(VERDICT, IMAGE) for _ in range(3)]

        # the picture does not fit, the verdict does
        set_limit(200_000)
        added.append(history.add(VERDICT, IMAGE))
        assert history.pictures_lost == 1
        assert "Cannot write" in history.last_error
        assert history.picture(added[-1]) is None
        assert history.thumbnail(added[-1]) is not None

        refused = sum(is_refused(history, added) for _ in range(60))
        assert refused > 0
        # what is there can still be read
        assert [r.id for r in history.records(added)] == added

        set_limit(resource.RLIM_INFINITY)
        added.append(history.add(VERDICT, IMAGE))
        assert history.picture(added[-1]) is not None
        assert history.ids() == added
    with History(Path(folder) / "line.db") as history:
        assert history.ids() == added
    print(f"{refused} refused, {len(added)} kept")


if __name__ == "__main__":
    main(*sys.argv[1:])

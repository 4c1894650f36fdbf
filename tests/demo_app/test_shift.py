from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo_app.models.settings import Settings
from demo_app.models.shift import Shift, begin_shift, load_shift
from demo_app.models.workplace import Workplace
from sdk.errors import SdkError
from sdk.station import History
from tests.demo_app.driver import Posted, wait_until


def test_share_of_good_products() -> None:
    assert Shift().share_ok is None
    assert Shift(ok=3, ng=1).share_ok == 0.75
    assert Shift(ok=1).counted("ng").counted("unreadable").counted("ok") == Shift(0, 2, 1, 1)


def test_shift_goes_on_after_a_restart(
    workplace: Workplace, tmp_path: Path, posted: Posted
) -> None:
    workplace.start()
    wait_until(lambda: workplace.live.view.state == "ended")
    before = workplace.live.view.shift
    assert (before.ok, before.ng, before.unreadable) == (4, 3, 1)
    workplace.close()
    again = Workplace(tmp_path, Settings().changed(threads=1, job="Steripad"), posted)
    try:
        assert again.live.view.shift == before
        again.begin_shift()
        assert again.live.view.shift.share_ok is None
        assert again.live.view.shift.since > before.since
        assert again.history.count() == 8
    finally:
        again.close()


def test_damaged_file_is_told_and_the_station_starts(tmp_path: Path, posted: Posted) -> None:
    (tmp_path / "shift.toml").write_text("since = 'noon'", encoding="utf-8")
    started = time.time()
    work = Workplace(tmp_path, Settings(), posted)
    try:
        assert len(work.warnings) == 1 and "shift.toml" in work.warnings[0]
        assert work.live.view.shift.since >= started
    finally:
        work.close()


def test_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SdkError, match=r"shift\.toml"):
        begin_shift(tmp_path / "gone")
    with History(tmp_path / "line.db") as history, pytest.raises(SdkError, match=r"shift\.toml"):
        load_shift(tmp_path / "gone", history)

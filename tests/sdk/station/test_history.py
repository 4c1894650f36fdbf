from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sdk.errors import HistoryError, OptionError
from sdk.station import History, Job, Statistic, TextRule, Verdict, judge
from sdk.station.history import database
from sdk.station.history.images import THUMBNAIL_BYTES, encode_thumbnail
from tests.sdk.station.readings import make_reading

ROOT = Path(__file__).resolve().parents[3]
IMAGE = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
JOB = Job("milk", rules=(TextRule("MILK"),))


def verdict(*lines: Any, job: Job = JOB, taken: float = 1000.0) -> Verdict:
    return judge(job, make_reading(*lines), taken=taken)


def decode(data: bytes | None) -> np.ndarray:
    assert data is not None
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "line.db") as opened:
        yield opened


def test_a_verdict_comes_back_as_it_was(history: History) -> None:
    given = verdict("SILK", ("500 g", 0.4))
    record = history.get(history.add(given))
    assert record.verdict == given
    assert (record.correction, record.has_picture) == (None, False)
    assert history.picture(record.id) is history.thumbnail(record.id) is None


def test_it_survives_closing(tmp_path: Path) -> None:
    with History(tmp_path / "line.db") as history:
        added = history.add(verdict("MILK"), IMAGE)
    with History(tmp_path / "line.db") as history:
        assert history.get(added).verdict == verdict("MILK")


def test_every_commit_is_synced(history: History) -> None:
    # SQLite: 2 is FULL, which syncs the log at every commit
    assert history._query("PRAGMA synchronous") == [(2,)]
    assert history._query("PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize(
    ("policy", "kept"),
    [("none", []), ("ng", ["ng", "unreadable"]), ("all", ["ok", "ng", "unreadable"])],
)
def test_which_pictures_are_kept(tmp_path: Path, policy: str, kept: list[str]) -> None:
    with History(tmp_path / "line.db", pictures=policy) as history:
        added = {
            v.status: history.add(v, IMAGE) for v in map(verdict, ["MILK", "SILK", ("MILK", 0.4)])
        }
        assert list(added) == ["ok", "ng", "unreadable"]
        assert [s for s, i in added.items() if history.get(i).has_picture] == kept
        for status, record_id in added.items():
            assert decode(history.thumbnail(record_id)).shape == (120, 160, 3)
            if status in kept:
                assert decode(history.picture(record_id)).shape == IMAGE.shape
            else:
                assert history.picture(record_id) is None


@pytest.mark.parametrize("shape", [(120, 160), (3000, 4000), (1, 4000), (4000, 3), (1, 1)])
def test_thumbnails_are_small(shape: tuple[int, int]) -> None:
    tile = np.random.default_rng(0).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    noise = np.tile(tile, (30, 40, 1))[: shape[0], : shape[1]]
    data = encode_thumbnail(noise)
    assert len(data) <= THUMBNAIL_BYTES
    assert max(decode(data).shape[:2]) <= 320


def test_colors_stay(history: History) -> None:
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 255
    added = history.add(verdict("SILK"), red)
    for data in (history.thumbnail(added), history.picture(added)):
        blue, green, found = decode(data).mean((0, 1))
        assert found > 240 and blue < 15 and green < 15


def test_quota_deletes_the_oldest_pictures_and_no_verdict(tmp_path: Path) -> None:
    with History(tmp_path / "line.db", pictures="all", quota_mb=0.2) as history:
        added = [history.add(verdict("MILK"), IMAGE) for _ in range(15)]
        kept = [i for i in added if history.thumbnail(i)]
        assert 5 < len(kept) < 15
        assert kept == added[-len(kept) :]
        assert [i for i in added if history.picture(i)] == kept
        assert [r.id for r in history.records(added) if r.has_picture] == kept
        files = list((tmp_path / "line-pictures").iterdir())
        assert len(files) == len(kept)
        size = sum(
            f.stat().st_size + len(history.thumbnail(i) or b"")
            for f, i in zip(files, kept, strict=True)
        )
        assert size < 0.21e6
    # what was used is known again after opening
    with History(tmp_path / "line.db", pictures="all", quota_mb=0.05) as history:
        history.add(verdict("MILK"), IMAGE)
        assert len([i for i in history.ids() if history.picture(i)]) < 5
        assert len(history.ids()) == 16


def test_a_picture_deleted_by_hand_is_none(tmp_path: Path) -> None:
    with History(tmp_path / "line.db", pictures="all") as history:
        added = history.add(verdict("MILK"), IMAGE)
        (tmp_path / "line-pictures" / f"{added}.jpg").unlink()
        assert history.picture(added) is None


def test_search(history: History) -> None:
    a = history.add(verdict("MILK 1", taken=100))
    b = history.add(verdict("SILK 100%", taken=200))
    c = history.add(verdict("MILK_2", job=Job("other"), taken=300))
    history.correct(b, "MILK 100%")

    def found(**conditions: Any) -> list[int]:
        return [record.id for record in history.search(**conditions)]

    assert found() == [c, b, a]
    assert found(limit=1) == [c]
    assert found(limit=1, offset=1) == [b]
    assert found(text="milk") == [c, b, a]
    assert found(text="silk") == [b]
    assert found(text="100%") == [b]
    assert found(text="0_") == []
    assert found(text="_2") == [c]
    assert found(status="ng") == [b]
    assert found(job="milk") == [b, a]
    assert found(since=200) == [c, b]
    assert found(until=200) == [a]
    assert found(text="milk", status="ok", since=100, until=250) == [a]
    with pytest.raises(OptionError, match="status is 'bad'"):
        history.search(status="bad")


def test_correction(history: History) -> None:
    added = history.add(verdict("SILK"))
    history.correct(added, "MILK")
    assert history.get(added).correction == "MILK"
    history.correct(added, None)
    assert history.get(added).correction is None
    with pytest.raises(HistoryError, match="no record 99"):
        history.correct(99, "MILK")
    with pytest.raises(HistoryError, match="no record 99"):
        history.get(99)


def test_statistics(history: History) -> None:
    hour = datetime(2026, 11, 21, 14).timestamp()
    for text, minutes in (("MILK", 0), ("SILK", 30), ("MILK", 59), ("MILK", 60)):
        history.add(verdict(text, taken=hour + 60 * minutes))
    history.add(verdict(taken=hour + 7200))
    assert history.statistics() == [
        Statistic("2026-11-21 14:00", 2, 1, 0),
        Statistic("2026-11-21 15:00", 1, 0, 0),
        Statistic("2026-11-21 16:00", 0, 0, 1),
    ]
    assert history.statistics("job") == [Statistic("milk", 3, 1, 1)]
    assert history.statistics("job", since=hour + 3600)[0].total == 2
    with pytest.raises(OptionError, match="by is 'week'"):
        history.statistics("week")


def test_ids_are_in_order_though_the_clock_was_set_back(history: History) -> None:
    added = [history.add(verdict("MILK", taken=1000 - i)) for i in range(3)]
    assert history.ids(since=0) == added


def test_sum_of_sizes_reads_no_thumbnails(history: History) -> None:
    plan = history._query("EXPLAIN QUERY PLAN SELECT sum(total_bytes) FROM images")
    assert "COVERING INDEX" in plan[0][-1]


def test_prune(tmp_path: Path) -> None:
    with History(tmp_path / "line.db", pictures="all") as history:
        old = [history.add(verdict("MILK", taken=i), IMAGE if i < 5 else None) for i in range(210)]
        new = history.add(verdict("MILK", taken=1000), IMAGE)
        assert history.prune(before=1000) == len(old)
        assert history.ids() == [new]
        assert [f.name for f in (tmp_path / "line-pictures").iterdir()] == [f"{new}.jpg"]
        # ids are not used again
        assert history.add(verdict("MILK")) > new


def test_several_threads(tmp_path: Path) -> None:
    with History(tmp_path / "line.db", pictures="all") as history:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for i in range(10):
                    added = history.add(verdict(f"MILK {number}-{i}"), IMAGE)
                    history.correct(added, "x")
                    assert history.get(added).verdict.reading.text == f"MILK {number}-{i}"
                    history.search(text="MILK", limit=5)
                    history.statistics()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert len(history.search(text="milk", limit=1000)) == 40


def test_another_process_may_read_meanwhile(tmp_path: Path) -> None:
    with History(tmp_path / "line.db") as writer, History(tmp_path / "line.db") as reader:
        added = writer.add(verdict("MILK"))
        assert reader.get(added).verdict.status == "ok"


def test_older_file_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "line.db"
    with History(path) as history:
        added = history.add(verdict("MILK"))
    later = (*database.MIGRATIONS, "ALTER TABLE records ADD COLUMN shift TEXT")
    monkeypatch.setattr(database, "MIGRATIONS", later)
    with History(path) as history:
        assert history.get(added).verdict.status == "ok"
        assert history._query("SELECT shift FROM records") == [(None,)]
        assert history._query("PRAGMA user_version") == [(len(later),)]
    # a step that fails leaves the file as it was
    broken = (*later, "ALTER TABLE records ADD COLUMN line TEXT; ALTER TABLE nothing ADD COLUMN a")
    monkeypatch.setattr(database, "MIGRATIONS", broken)
    with pytest.raises(HistoryError, match="Cannot open the history"):
        History(path)
    monkeypatch.setattr(database, "MIGRATIONS", later)
    with History(path) as history:
        assert history.get(added).id == added
        with pytest.raises(HistoryError, match="no such column"):
            history._query("SELECT line FROM records")


def test_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    History(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(HistoryError, match=r"version 99, .* knows up to [0-9]+\..*Update"):
        History(path)


def test_what_is_no_history_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is not a database, it is a text of some length" * 20)
    with pytest.raises(HistoryError, match="move it away"):
        History(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE things (a)")
    connection.close()
    with pytest.raises(HistoryError, match="another program's"):
        History(tmp_path / "other.db")
    with pytest.raises(HistoryError, match="Make its folder first"):
        History(tmp_path / "none" / "line.db")
    with pytest.raises(OptionError, match="pictures is 'some'"):
        History(tmp_path / "line.db", pictures="some")
    with pytest.raises(OptionError, match="quota_mb is 0"):
        History(tmp_path / "line.db", quota_mb=0)


def test_a_closed_history_says_so(history: History) -> None:
    history.close()
    history.close()
    with pytest.raises(HistoryError, match="closed"):
        history.search()


def run(module: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.sdk.station.{module}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_fifty_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    assert "50 kills" in run("killed_writer", tmp_path, 50)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")
def test_full_disk_is_told_and_overcome(tmp_path: Path) -> None:
    assert "refused" in run("full_disk", tmp_path)

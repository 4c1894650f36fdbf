from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
import threading
import zipfile
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
    assert history._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert history._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


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


def test_long_reading_holds_up_nobody(tmp_path: Path) -> None:
    with History(tmp_path / "line.db", pictures="all", quota_mb=0.05) as history:
        first = history.add(verdict("MILK"), IMAGE)
        begun, go_on = threading.Event(), threading.Event()

        def read() -> None:
            with history._readers.borrow() as connection:
                connection.create_function("wait", 0, lambda: begun.set() or go_on.wait(60))
                connection.execute("SELECT wait(), count(*) FROM records").fetchall()

        def work() -> None:
            for _ in range(5):
                history.add(verdict("MILK"), IMAGE)
                history.correct(history.search(limit=1)[0].id, "SILK")

        reader, worker = threading.Thread(target=read), threading.Thread(target=work)
        reader.start()
        try:
            assert begun.wait(60)
            worker.start()
            worker.join(60)
            assert not worker.is_alive()
            assert reader.is_alive()
        finally:
            go_on.set()
        reader.join(60)
        assert len(history.search(text="SILK")) == 5
        assert history.thumbnail(first) is None  # the quota was kept meanwhile


def test_searches_do_not_go_through_the_verdicts(history: History) -> None:
    asked: list[str] = []
    with history._readers.borrow() as connection:
        connection.set_trace_callback(asked.append)
    for conditions in ({"text": "MILK"}, {"job": "milk", "since": 5.0}, {"status": "ng"}, {}):
        history.search(**conditions)
        history.ids(**conditions)
        for by in ("hour", "job"):
            history.statistics(by, **conditions)
    connection.set_trace_callback(None)
    searches = [sql for sql in asked if "IN (" not in sql]
    assert len(searches) == 16
    for sql in searches:
        plan = history._query(f"EXPLAIN QUERY PLAN {sql}")
        assert "COVERING INDEX records_narrow" in plan[0][-1]


@pytest.mark.parametrize(
    "change",
    [
        "verdict = '{'",
        "verdict = '5'",
        "verdict = NULL",
        f"verdict = '{9999 * '['}'",
        "verdict = CAST(x'FFFE' AS TEXT)",
        "verdict = x'00'",
        "verdict = replace(verdict, '\"time\":1000.0', '\"time\":1e300')",
        "verdict = replace(verdict, '\"time\":1000.0', '\"time\":NaN')",
        "verdict = replace(verdict, '\"time\":1000.0', '\"time\":' || printf('%.*c', 400, '9'))",
        'verdict = replace(verdict, \'"line":null\', \'"line":"x"\')',
        "verdict = replace(verdict, '\"width\"', '\"with\"')",
        'verdict = replace(verdict, \'"regions":{}\', \'"regions":{"":[1]}\')',
        "verdict = '{', time = 1e300, job = x'FF', status = 7, text = x'FF', correction = 5",
    ],
)
def test_a_damaged_record_leaves_the_others_readable(
    tmp_path: Path, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    with History(tmp_path / "line.db") as history:
        before = [history.add(verdict("SILK"), IMAGE) for _ in range(3)]
    with contextlib.closing(sqlite3.connect(tmp_path / "line.db")) as connection:
        schema = "UPDATE sqlite_master SET sql = replace(sql, 'verdict TEXT NOT NULL', 'verdict')"
        with connection:  # what a rule of the table forbids, a worn card may still do
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(schema)
    with contextlib.closing(sqlite3.connect(tmp_path / "line.db")) as connection, connection:
        connection.execute(f"UPDATE records SET {change} WHERE id = 2")
    with History(tmp_path / "line.db") as history:
        found = {record.id: record for record in history.search()}
        assert sorted(found) == before
        assert [i for i in before if found[i].damage] == [2]
        assert found[1].verdict == found[3].verdict == verdict("SILK")
        (reason,) = found[2].verdict.reasons
        assert reason.startswith("Record 2 is damaged: ")
        assert "Record 2 is damaged" in caplog.text
        assert history.get(1).verdict == verdict("SILK")
        with pytest.raises(HistoryError, match="Record 2 is damaged"):
            history.get(2)
        history.statistics()
        history.statistics("job")
        for export in (history.export_csv, history.export_json, history.export_zip):
            assert export(tmp_path / "out") == 3
        with zipfile.ZipFile(tmp_path / "out") as file:
            rows = json.loads(file.read("records.json"))
        assert [row["reasons"] == [reason] for row in rows] == [False, True, False]


def overwrite(path: Path, mark: bytes, junk: bytes) -> None:
    """Writes junk over the place of a file where a mark stands, and checks that there is one."""
    data = path.read_bytes()
    assert data.count(mark) == 1
    path.write_bytes(data.replace(mark, junk))


def test_a_damaged_place_in_the_file_leaves_the_others_readable(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    with History(path) as history:
        # verdicts of many pages each
        before = [history.add(verdict(str(i) * 300, job=Job(f"j{i}"))) for i in range(9)]
        history.add(verdict("MILK"), IMAGE)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    middle = [found.start() for found in re.finditer(b'"text":"4"', data)][150]
    marks = [middle, data.index(b"\xff\xd8\xff")]
    for mark in marks:  # a page that follows another begins with the number of the next one
        start = mark // size * size
        data[start : start + 4] = (pages + 99).to_bytes(4, "big")
    path.write_bytes(data)
    with History(path) as history:
        found = {record.id: record for record in history.search()}
        assert [i for i, record in found.items() if record.damage] == [5]
        assert sorted(found) == [*before, 10]
        assert "It read '44444" in found[5].verdict.reasons[0]
        assert found[5].verdict.job == "j4"
        assert history.thumbnail(10) is None
        assert history.export_zip(tmp_path / "out.zip") == 10


def test_a_damaged_list_of_tables_is_told(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    History(path).close()
    overwrite(path, b"CREATE TABLE images (", b"CR\xff\xfeTE T\x80BLE im\xffges (")
    with pytest.raises(HistoryError, match="The file is damaged: move it away"):
        History(path)


def test_what_a_kill_left_half_written_is_deleted(tmp_path: Path) -> None:
    pictures = tmp_path / "line-pictures"
    pictures.mkdir()
    half = pictures / ".7.jpg.0123abcd.tmp"
    half.write_bytes(b"half a picture")
    with History(tmp_path / "line.db", pictures="all") as history:
        assert half.exists()  # another process may be writing while this one only reads
        added = history.add(verdict("MILK"), IMAGE)
        assert [f.name for f in pictures.iterdir()] == [f"{added}.jpg"]


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
    with pytest.raises(HistoryError, match="Create its folder first"):
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

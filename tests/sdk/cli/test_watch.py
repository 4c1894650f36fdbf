"""`fots-lite watch` with real folders, films, jobs and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sdk.cli import main
from sdk.station import History
from tests import tiny
from tests.cameras import write_video

Capture = pytest.CaptureFixture[str]
EMPTY = np.zeros((128, 128, 3), np.uint8)
JOB = """
name = "cafe"
lines = 2

[[rules]]
kind = "text"
text = "CAFE"
whole = true
"""


def product(*texts: str) -> np.ndarray:
    lines = [(text, 8, 8 + 64 * i) for i, text in enumerate(texts)]
    return np.asarray(tiny.draw_photo(lines, (128, 128)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, picture in (
        ("a", product("HEAD", "CAFE")),
        ("b", product("HEAD", "CAGE")),
        ("c", EMPTY),
    ):
        Image.fromarray(picture).save(pictures / f"{name}.png")
        os.utime(pictures / f"{name}.png", (1_800_000_000, 1_800_000_000))
    return pictures


@pytest.fixture
def job(tmp_path: Path) -> Path:
    path = tmp_path / "cafe.toml"
    path.write_text(JOB)
    return path


def watch(bundle: Path, *arguments: str | Path) -> int:
    return main(["watch", *map(str, arguments), "--model", str(bundle), "--threads", "1"])


def rows(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(row) for row in capsys.readouterr().out.splitlines()]


def test_a_line_for_every_picture(tiny_bundle: Path, folder: Path, capsys: Capture) -> None:
    assert watch(tiny_bundle, folder) == 0
    captured = capsys.readouterr()
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_800_000_000))
    assert captured.out.splitlines() == [
        f"{clock}  settled  a.png  HEAD | CAFE",
        f"{clock}  settled  b.png  HEAD | CAGE",
        f"{clock}  settled  c.png",
    ]
    assert captured.err == ""


def test_expected_text(tiny_bundle: Path, folder: Path, capsys: Capture) -> None:
    assert watch(tiny_bundle, folder, "--expect", "CAFE") == 0
    lines = [line.split("  ", 2)[2] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "OK          a.png  HEAD | CAFE",
        "NG          b.png  HEAD | CAGE  ('CAFE' is missing; the closest line is 'CAGE')",
        "UNREADABLE  c.png    (no text is read)",
    ]


def test_job_history_and_json(
    tiny_bundle: Path, folder: Path, job: Path, tmp_path: Path, capsys: Capture
) -> None:
    database = tmp_path / "line.db"
    assert (
        watch(tiny_bundle, folder, "--job", job, "--history", database, "--json", "--pictures=all")
        == 0
    )
    found = rows(capsys)
    assert [row["verdict"]["status"] for row in found] == ["ok", "ng", "unreadable"]
    assert [row["name"] for row in found] == ["a.png", "b.png", "c.png"]
    assert found[0]["verdict"]["job"] == "cafe"
    assert found[1]["verdict"]["reasons"] == ["'CAFE' is missing; the closest line is 'CAGE'"]
    assert found[0]["event"] == "settled"
    assert found[0]["time"] == 1_800_000_000
    assert [line["text"] for line in found[0]["reading"]["lines"]] == ["HEAD", "CAFE"]
    with History(database) as history:
        for row in found:
            record = history.get(row["record"])
            assert record.verdict.status == row["verdict"]["status"]
            # inspected now, though the file is of another day
            assert abs(record.verdict.time - time.time()) < 3600
            assert record.verdict.reading.texts == [x["text"] for x in row["reading"]["lines"]]
            assert history.picture(row["record"])


def test_history_without_a_job(tiny_bundle: Path, folder: Path, tmp_path: Path) -> None:
    database = tmp_path / "line.db"
    assert watch(tiny_bundle, folder, "--history", database) == 0
    with History(database) as history:
        found = history.search()
    assert sorted((r.verdict.job, r.verdict.status) for r in found) == [
        ("watch", "ok"),
        ("watch", "ok"),
        ("watch", "unreadable"),
    ]


def test_film_with_vote(tiny_bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    film = [product("HEAD")] * 3 + [EMPTY] * 2
    video = write_video(tmp_path / "film.avi", film)
    assert watch(tiny_bundle, video, "--vote", "2", "--expect", "HEAD", "--json") == 0
    found = rows(capsys)
    assert [(row["event"], row["frame"]) for row in found] == [("settled", 1), ("cleared", 4)]
    # what leaves is not judged again
    assert [row["verdict"] and row["verdict"]["status"] for row in found] == ["ok", None]


def test_region_of_the_job_or_the_command(
    tiny_bundle: Path, folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert watch(tiny_bundle, folder, "--region", "0,0,1,0.5") == 0
    assert "a.png  HEAD\n" in capsys.readouterr().out
    job = tmp_path / "upper.toml"
    job.write_text('name = "upper"\nregion = [0, 0.5, 1, 0.5]\n')
    assert watch(tiny_bundle, folder, "--job", job) == 0
    assert "OK          a.png  CAFE\n" in capsys.readouterr().out
    assert watch(tiny_bundle, folder, "--job", job, "--region", "0,0,1,1") == 2
    assert "The job has its own region" in capsys.readouterr().err
    job.write_text('name = "two"\n[[fields]]\nname = "upper"\nregion = [0, 0.5, 1, 0.5]\n')
    assert watch(tiny_bundle, folder, "--job", job) == 2
    assert "'two' has several fields" in capsys.readouterr().err


def test_region_is_recorded(tiny_bundle: Path, folder: Path, tmp_path: Path) -> None:
    database = tmp_path / "line.db"
    assert watch(tiny_bundle, folder, "--region", "0,0,1,0.5", "--history", database) == 0
    with History(database) as history:
        assert {record.verdict.region for record in history.search()} == {(0, 0, 1, 0.5)}


def test_damaged_picture_is_told_and_counts_as_failure(
    tiny_bundle: Path, folder: Path, capsys: Capture
) -> None:
    (folder / "b.png").write_bytes(b"no picture")
    assert watch(tiny_bundle, folder, "--json") == 1
    found = rows(capsys)
    assert [row["event"] for row in found] == ["settled", "skipped", "settled"]
    assert "b.png" in found[1]["message"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "There is no camera, file or folder 'nowhere'"),
        (["0?zoom=1"], 2, "has no setting 'zoom'"),
        (["."], 1, "holds no picture files"),
        (["a.txt"], 1, "damaged, or this OpenCV"),
        (["basler:nosuch"], 1, "Cannot find Basler camera nosuch"),
        ([".", "--job", "no.toml"], 1, "no.toml"),
        ([".", "--job", "bad.toml"], 1, "bad.toml"),
        ([".", "--history", "no/line.db"], 1, "line.db"),
        ([".", "--every", "-1"], 2, "is not a number of seconds"),
        ([".", "--vote", "0"], 2, "is not a whole number of at least 1"),
        ([".", "--region", "0,0,1"], 2, "is not X,Y,W,H from 0 to 1"),
        ([".", "--job", "x", "--expect", "y"], 2, "not allowed with argument"),
        ([".", "--expect", ""], 1, "text is empty"),
        ([], 2, "SOURCE"),
    ],
)
def test_what_cannot_be(
    arguments: list[str],
    code: int,
    message: str,
    tiny_bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    if "basler:nosuch" in arguments:
        pytest.importorskip("pypylon.pylon")
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes(b"no picture, and no film")
    Path("bad.toml").write_text('colour = "red"')
    assert watch(tiny_bundle, *arguments) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


# Signals ------------------------------------------------------------------------------------------


class Watching:
    """The command in a process of its own, and the lines it prints."""

    def __init__(self, bundle: Path, *arguments: str | Path, **options: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sdk", "watch", *map(str, arguments), "--model", str(bundle)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        # a hang must end the test, not the patience of who runs it
        self._alarm = threading.Timer(120, self.process.kill)
        self._alarm.start()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, log = self.process.communicate()
        self._alarm.cancel()
        return self.process.returncode, log


@pytest.fixture
def arriving(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a new picture arrives four times a second."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    stop = threading.Event()

    def fill() -> None:
        count = 0
        while not stop.wait(0.25):
            Image.fromarray(product("HEAD")).save(inbox / f"{count}.png")
            count += 1

    thread = threading.Thread(target=fill)
    thread.start()
    yield inbox
    stop.set()
    thread.join()


@pytest.mark.skipif(os.name != "posix", reason="needs signals as on Unix")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_cleanly(
    number: int, tiny_bundle: Path, arriving: Path, tmp_path: Path
) -> None:
    database = tmp_path / "line.db"
    watching = Watching(tiny_bundle, f"watch:{arriving}", "--json", "--history", database)
    told = [json.loads(watching.line()) for _ in range(3)]
    code, log = watching.end(number)
    assert (code, log) == (0, "")
    assert all(row["event"] == "settled" for row in told)
    with History(database) as history:
        for row in told:
            assert history.get(row["record"]).verdict.reading.texts == ["HEAD"]


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_history_that_cannot_be_written_does_not_stop_reading(
    tiny_bundle: Path, arriving: Path, tmp_path: Path
) -> None:
    import resource

    database = tmp_path / "line.db"
    with History(database):
        pass

    def no_space() -> None:
        # enough to open it, and for some records
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    watching = Watching(
        tiny_bundle, f"watch:{arriving}", "--json", "--history", database, preexec_fn=no_space
    )
    told = [json.loads(watching.line()) for _ in range(2)]
    while told[-2]["record"] is not None:
        told.append(json.loads(watching.line()))
    code, log = watching.end(signal.SIGTERM)
    assert {row["event"] for row in told} == {"settled"}
    assert code == 1
    assert "fots-lite: error: " in log
    assert "Traceback" not in log

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convert.__main__ import main
from convert.compare.compare import ROWS, Entry, Totals, compare, entries_of, score, totals_of
from convert.compare.reader_process import TimedReading, running_readers
from convert.compare.report import as_csv, as_picture, as_text
from convert.errors import ConvertError
from sdk import Reader
from sdk.model.bundle import DEFAULT_BUNDLE
from training.data.shards import shard_path, write_shard

QUAD = [[10.0, 10.0], [90.0, 10.0], [90.0, 30.0], [10.0, 30.0]]
FAR = [[10.0, 60.0], [90.0, 60.0], [90.0, 80.0], [10.0, 80.0]]


def read(texts: list[str], quads: Any = None) -> TimedReading:
    return TimedReading(texts, None if quads is None else np.array(quads, np.float32), 1.0, 50.0)


def label(text: str, quad: Any, ignore: bool = False) -> dict[str, Any]:
    return {"text": text, "quad": quad, "ignore": ignore}


def row(where: str, kind: str, *results: tuple[str, int, int, float, float]) -> dict[str, Any]:
    names = ("right", "edits", "characters", "ms", "peak_mib")
    return {
        "set": where,
        "picture": 0,
        "kind": kind,
        "results": [dict(zip(names, r, strict=True)) for r in results],
    }


ENTRIES = [Entry("fp32", Path("b"), "fp32", 19.5, "x"), Entry("int8", Path("b"), "int8", 5.0, "y")]
ROWS_READ = [
    row("lines", "line", ("1", 0, 5, 4.0, 100.0), ("0", 1, 5, 2.0, 80.0)),
    row("lines", "line", ("0", 2, 5, 6.0, 100.0), ("1", 0, 5, 3.0, 81.0)),
    row("photos", "photo", ("110", 1, 10, 90.0, 120.0), ("100", 3, 10, 40.0, 90.0)),
]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three line images that hold a part of a picture that the packaged model reads."""
    from sdk.selftest import draw_sample

    folder = tmp_path_factory.mktemp("sets")
    photo = np.asarray(draw_sample())
    line = max(Reader().read(photo), key=lambda t: t.confidence)
    low, high = (np.array(line.quad).min(0).astype(int), np.array(line.quad).max(0).astype(int))
    crop = photo[max(0, low[1] - 2) : high[1] + 2, max(0, low[0] - 2) : high[0] + 2]
    rows = [(i, crop, {"text": line.text}) for i in range(3)]
    write_shard(shard_path(folder / "lines", 0), rows)
    labels = {"texts": [label(line.text, np.array(line.quad).tolist())]}
    write_shard(shard_path(folder / "photos", 0), [(0, photo, labels)])
    return folder


def test_lines_are_compared_by_letters_and_digits() -> None:
    assert score({"text": "ab-1"}, read(["AB 1"])) == ([True], 0, 3)
    assert score({"text": "ab-1"}, read(["A81"])) == ([False], 1, 3)


def test_strings_of_photos_may_be_a_part_of_a_line() -> None:
    record = {"texts": [label("ab", QUAD), label("cd", FAR), label("?", QUAD, ignore=True)]}
    assert score(record, read(["xaby"], [QUAD])) == ([True, False], 4, 4)
    assert score(record, read(["AB", "ce"], [QUAD, FAR])) == ([True, False], 1, 4)
    # nothing read: all characters are lost
    assert score(record, read([], np.zeros((0, 4, 2)))) == ([False, False], 4, 4)
    # more edits than characters count as all of them
    assert score(record, read(["a long line", "cd"], [QUAD, FAR]))[1:] == (2, 4)


def test_standings_add_up() -> None:
    whole, parts = totals_of(ROWS_READ, 2)
    assert [s.strings for s in whole] == [5, 5]
    assert [s.right for s in whole] == [3, 2]
    assert (whole[1].lost, whole[1].gained) == (2, 1)
    assert (whole[0].lost, whole[0].gained) == (0, 0)
    assert whole[0].string_share == pytest.approx(0.6)
    assert whole[0].character_share == pytest.approx(1 - 3 / 20)
    assert whole[0].median_ms("line") == 5.0
    assert whole[1].median_ms("photo") == 40.0
    assert [s.peak_mib for s in whole] == [120.0, 90.0]
    assert parts["photos"][1].right == 1
    assert np.isnan(Totals().string_share)
    assert np.isnan(Totals().median_ms("line"))


def test_tables_and_picture_hold_every_variant() -> None:
    text = as_text(ENTRIES, ROWS_READ)
    assert "19.50" in text
    assert "60.00%" in text
    assert "3 pictures with 5 labeled strings" in text
    assert "33.3% (-1 +0)" in text
    table = list(csv.DictReader(io.StringIO(as_csv(ENTRIES, ROWS_READ))))
    assert [(r["set"], r["variant"]) for r in table][:2] == [("all", "fp32"), ("all", "int8")]
    assert len(table) == 6
    assert table[1]["right"] == "2"
    assert float(table[1]["line_ms"]) == 2.5
    lines = next(r for r in table if r["set"] == "lines")
    assert lines["photo_ms"] == ""
    image = np.asarray(Image.open(io.BytesIO(as_picture(ENTRIES, ROWS_READ))))
    assert (image == (20, 90, 170)).all(-1).sum() > 1000


def test_command_compares_and_goes_on_from_what_is_there(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["compare", str(DEFAULT_BUNDLE), "--data", str(sets), "--out", str(out)]
    assert main([*arguments, "--limit", "2", "--threads", "1"]) == 0
    first = capsys.readouterr().out
    assert "int8" in first
    assert "100.00%" in first
    assert {path.name for path in out.iterdir()} == {
        ROWS,
        "compare.txt",
        "compare.csv",
        "compare.png",
    }
    lines = (out / ROWS).read_text().splitlines()
    assert len(lines) == 1 + 2 + 1
    result = json.loads(lines[1])["results"][0]
    assert result["ms"] > 0
    assert 20 < result["peak_mib"] < 2000
    # killed while it wrote its second row
    (out / ROWS).write_text("\n".join(lines[:2]) + "\n" + lines[2][:20])
    told: list[str] = []
    entries = entries_of([DEFAULT_BUNDLE])
    folders = [sets / "lines", sets / "photos"]
    rows = compare(entries, folders, out, limit=2, threads=1, say=told.append)
    assert len(rows) == 3
    assert (out / ROWS).read_text().splitlines()[:2] == lines[:2]
    assert [json.loads(x)["results"][0]["right"] for x in lines[1:]] == [
        r["results"][0]["right"] for r in rows
    ]
    # another limit is another comparison
    before = (out / ROWS).read_bytes()
    with pytest.raises(ConvertError, match="--force"):
        compare(entries, folders[:1], out, limit=1, threads=1)
    broken = [replace(entries[0], variant="int4")]
    with pytest.raises(ConvertError, match="no variant 'int4'"):
        compare(broken, folders[:1], out, limit=1, threads=1, force=True)
    assert (out / ROWS).read_bytes() == before
    assert len(compare(entries, folders[:1], out, limit=1, threads=1, force=True)) == 1


def test_what_cannot_be_compared_is_told(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConvertError, match="variant fp16"):
        entries_of([DEFAULT_BUNDLE], ["fp16"])
    with pytest.raises(ConvertError, match="model bundle"):
        entries_of([tmp_path])
    out = str(tmp_path / "out")
    assert main(["compare", str(DEFAULT_BUNDLE), "--data", str(tmp_path), "--out", out]) == 1
    assert "Nothing to evaluate on" in capsys.readouterr().err
    twice = [sets / "lines", tmp_path / "lines"]
    with pytest.raises(ConvertError, match="Two sets have the name 'lines'"):
        compare(entries_of([DEFAULT_BUNDLE]), twice, tmp_path / "out", threads=1)
    shard = tmp_path / "bad" / "shard-00000.tar"
    shard.parent.mkdir()
    shard.write_bytes(b"no tar")
    with pytest.raises(ConvertError, match="Cannot compare on"):
        compare(entries_of([DEFAULT_BUNDLE]), [shard.parent], tmp_path / "out", threads=1)


def test_reader_that_cannot_start_is_told(tmp_path: Path) -> None:
    broken = replace(entries_of([DEFAULT_BUNDLE])[0], variant="int4")
    with (
        pytest.raises(ConvertError, match="no variant 'int4'"),
        running_readers([(broken.name, broken.bundle, broken.variant)], 1),
    ):
        pytest.fail("it must not start")


def test_readers_of_two_bundles_are_told_apart(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "mine")
    names = [entry.name for entry in entries_of([DEFAULT_BUNDLE, tmp_path / "mine"])]
    assert names == ["default/int8", "mine/int8"]
    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "other" / "mine")
    with pytest.raises(ConvertError, match="same folder name"):
        entries_of([tmp_path / "mine", tmp_path / "other" / "mine"])

"""Pages on the command line: all are read, each says which it is, and what is left out is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sdk.cli import main
from sdk.results import Reading
from tests import tiny

Capture = pytest.CaptureFixture[str]
TEXTS = ("HEAD", "CAFE", "BADGE")


def page(text: str) -> Image.Image:
    return Image.fromarray(np.asarray(tiny.draw_photo([(text, 0, 48)], (128, 128))))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A TIFF file of three pages, of a word each."""
    first, *more = [page(text) for text in TEXTS]
    first.save(tmp_path / "scan.tif", save_all=True, append_images=more)
    return tmp_path / "scan.tif"


def run(bundle: Path, *arguments: Any) -> int:
    return main(["read", *map(str, arguments), "--model", str(bundle), "--threads", "1"])


def test_all_pages_are_read(tiny_bundle: Path, scan: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, scan) == 0
    captured = capsys.readouterr()
    titles = [f"==> page {number} of {scan} <==" for number in (1, 2, 3)]
    shown = [f"{title}\n{text}\n" for title, text in zip(titles, TEXTS, strict=True)]
    assert captured.out == "\n".join(shown)
    assert captured.err == ""


def test_json_has_the_numbers_of_pages(tiny_bundle: Path, scan: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, scan, "--json", "--pages", "3,1-2") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    readings = [Reading.from_dict(row["reading"]) for row in rows]
    assert [reading.page for reading in readings] == [3, 1, 2]
    assert [reading.text for reading in readings] == [TEXTS[2], TEXTS[0], TEXTS[1]]
    assert all(reading.timing.load_ms > 0 for reading in readings)


def test_lines_of_pages(tiny_bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    first, second = (Image.fromarray(np.asarray(tiny.draw_line(text))) for text in TEXTS[:2])
    first.save(tmp_path / "lines.tif", save_all=True, append_images=[second])
    assert run(tiny_bundle, tmp_path / "lines.tif", "--line", "--json") == 0
    rows = [json.loads(line)["reading"] for line in capsys.readouterr().out.splitlines()]
    assert [(row["page"], row["lines"][0]["text"]) for row in rows] == [(1, "HEAD"), (2, "CAFE")]


def test_pages_that_are_not_there(tiny_bundle: Path, scan: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, scan, "--pages", "2,4-999999999") == 1
    captured = capsys.readouterr()
    assert captured.out.endswith("<==\nCAFE\n")
    assert captured.err.splitlines() == [
        f"fots-lite: error: Cannot load page 4 of {scan}: it has 3 pages. Give a smaller number."
    ]


@pytest.mark.parametrize("pages", ["", "0", "x", "1-", "3-2", "1,,2", "-1"])
def test_wrong_pages(pages: str, capsys: Capture) -> None:
    assert main(["read", "a.tif", f"--pages={pages}"]) == 2
    assert "argument --pages" in capsys.readouterr().err


def test_a_damaged_page_does_not_stop_the_others(
    tiny_bundle: Path, scan: Path, capsys: Capture
) -> None:
    with Image.open(scan) as image:
        image.save(scan.with_name("packed.tif"), save_all=True, compression="tiff_deflate")
    data = bytearray(scan.with_name("packed.tif").read_bytes())
    with Image.open(scan.with_name("packed.tif")) as image:
        image.seek(1)
        [offset] = image.tag_v2[273]  # type: ignore[attr-defined]
    data[offset : offset + 20] = bytes(20)
    scan.write_bytes(data)
    assert run(tiny_bundle, scan, "--json") == 1
    captured = capsys.readouterr()
    assert [json.loads(x)["reading"]["page"] for x in captured.out.splitlines()] == [1, 3]
    [error] = captured.err.splitlines()
    assert f"Cannot decode page 2 of {scan}: the file is damaged" in error


def test_each_page_has_a_drawing(tiny_bundle: Path, scan: Path, tmp_path: Path) -> None:
    page("FEED").save(tmp_path / "scan-page2.png")
    out = tmp_path / "drawn"
    assert run(tiny_bundle, scan, tmp_path / "scan-page2.png", "--draw", out) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == ["scan-page2-.png", "scan-page2.png", "scan-page3.png", "scan.png"]


@pytest.mark.parametrize("options", [[], ["--line"]])
def test_what_is_left_out_is_one_line_of_the_log(
    options: list[str], tiny_bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    frames = [page(text) for text in TEXTS]
    animation = tmp_path / "moving.png"
    frames[0].save(animation, save_all=True, append_images=frames[1:])
    assert run(tiny_bundle, animation, "--json", *options) == 0
    captured = capsys.readouterr()
    [note] = json.loads(captured.out)["reading"]["notes"]
    assert note["code"] == "frames_left_out"
    assert captured.err == f"fots-lite: warning: {animation}: {note['text']}\n"


def test_the_limit_of_pixels(tiny_bundle: Path, scan: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, scan, "--max-pixels", 128 * 128) == 0
    assert run(tiny_bundle, scan, "--max-pixels", 128 * 128 - 1) == 1
    assert capsys.readouterr().err.count("the limit is 16,383") == 3

"""Where `fots-lite read` writes: refused before any work, never half-written, never over input."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdk.cli.inputs import Picture
from sdk.cli.output import DRAWING_SUFFIXES, Output, plan_drawings, save_drawing
from sdk.errors import OptionError, SdkError
from sdk.formats import get_format
from sdk.results import Reading, TextLine

LINE = TextLine("LOT 7", 0.9, ((5, 20), (60, 20), (60, 40), (5, 40)))
READING = Reading((LINE,), 80, 50)


def pictures(*paths: Path | str) -> list[Picture]:
    return [Picture(str(path), Path(path)) for path in paths]


def test_standard_output_gets_pages_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(get_format("text"), None)
    output.start()
    output.add("a.jpg", READING, "a.jpg")
    assert capsys.readouterr().out == "==> a.jpg <==\nLOT 7\n"
    output.add("b.jpg", READING, "b\x1b[2J.jpg")
    output.end()
    assert capsys.readouterr().out == "\n==> b\ufffd[2J.jpg <==\nLOT 7\n"


def test_file_is_written_at_the_end_only(tmp_path: Path) -> None:
    path = tmp_path / "out.tsv"
    path.write_text("old")
    output = Output(get_format("tsv"), str(path))
    output.start()
    output.add("a.jpg", READING)
    assert path.read_text() == "old"
    output.end()
    assert path.read_text() == get_format("tsv").write([("a.jpg", READING)])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no/out.txt", r"no/out\.txt: there is no folder .*no\. Create it first"),
        ("folder", "folder: it is a folder. Give the name of a file"),
    ],
)
def test_outputs_that_cannot_be_written(tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OptionError, match=message):
        Output(get_format("text"), str(tmp_path / target))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OptionError, match="is not writable"):
        Output(get_format("text"), str(tmp_path / "out.txt"))


def test_no_drawings() -> None:
    assert plan_drawings(None, pictures("a.jpg", "b.jpg")) == [None, None]


def test_one_picture_is_drawn_to_a_file_or_into_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    assert plan_drawings(str(out), pictures("a.jpg")) == [out]
    assert plan_drawings(str(tmp_path), pictures("x/a.jpg")) == [tmp_path / "a.png"]


def test_several_pictures_get_distinct_names_in_a_new_folder(tmp_path: Path) -> None:
    out = tmp_path / "drawn"
    plan = plan_drawings(str(out), pictures("x/a.jpg", "y/A.png", "a-2.png", "b.c.jpg", "x/a.jpg"))
    assert [path.name for path in plan if path] == [
        "a.png",
        "A-2.png",
        "a-2-2.png",
        "b.c.png",
        "a-3.png",
    ]
    assert out.is_dir()


@pytest.mark.parametrize(
    ("out", "count", "message"),
    [
        ("out.txt", 1, r"out\.txt: its suffix is '\.txt'\. Use one of \.png, \.jpg"),
        ("out", 1, r"out: it has no suffix\. Use one of"),
        ("no/out.png", 1, "there is no folder"),
        ("out.png", 2, r"Cannot draw 2 pictures to the single file .*out\.png\. Give a folder"),
        ("no/folder", 2, "Cannot create the folder"),
        ("file", 2, "Cannot create the folder"),
    ],
)
def test_drawings_that_cannot_be_written(
    tmp_path: Path, out: str, count: int, message: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OptionError, match=message):
        plan_drawings(str(tmp_path / out), pictures("a.jpg", "b.jpg")[:count])


def test_a_drawing_never_replaces_a_picture(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(b"photo")
    (tmp_path / "link.png").symlink_to(tmp_path / "b.jpg")
    both = pictures(tmp_path / "a.png", tmp_path / "b.jpg")
    for out, some in (("a.png", both[:1]), ("link.png", both[1:]), ("", both)):
        with pytest.raises(OptionError, match="is one of the pictures to read"):
            plan_drawings(str(tmp_path / out), some)
    # Into the folder of the photos is fine as long as the names differ.
    assert plan_drawings(str(tmp_path), both[1:]) == [tmp_path / "b.png"]


@pytest.mark.parametrize("suffix", DRAWING_SUFFIXES)
def test_drawing_is_saved_in_the_format_of_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix.upper()}"
    save_drawing(READING, np.full((50, 80, 3), 99, np.uint8), path)
    with Image.open(path) as image:
        assert image.size == (80, 50)
        assert image.format in {"PNG", "JPEG", "WEBP", "TIFF", "BMP"}
        assert len(image.convert("RGB").getcolors(4000) or []) > 1


def test_failed_drawing_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "out.png"
    with pytest.raises(SdkError, match="Cannot write"):
        save_drawing(READING, np.zeros((50, 80, 3), np.uint8), path)
    assert not list(tmp_path.iterdir())

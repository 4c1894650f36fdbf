"""Arguments of `fots-lite read`: files, folders, patterns and standard input."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdk.cli.inputs import find_pictures
from sdk.errors import ImageError, OptionError
from sdk.image.files import PICTURE_SUFFIXES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with pictures (by name), other files and a folder below."""
    for name in ("b.JPG", "a.png", "c.tiff", "notes.txt", "deep/d.jpg", "[1].png", "._c.tiff"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "photos" / "folder.png").mkdir()
    return tmp_path / "photos"


def names(folder: Path, *arguments: str) -> list[str]:
    pictures = find_pictures(arguments)
    assert all(picture.error is None for picture in pictures)
    return [str(Path(picture.name).relative_to(folder)) for picture in pictures]


def test_folder_stands_for_its_pictures_sorted(folder: Path) -> None:
    assert names(folder, str(folder)) == ["[1].png", "a.png", "b.JPG", "c.tiff"]


def test_pattern_stands_for_what_it_matches(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(folder, f"{folder}/*.[jp]*g") == ["[1].png", "a.png"]
    assert names(folder, f"{folder}/**/*.jpg") == ["deep/d.jpg"]
    monkeypatch.chdir(folder)
    assert [picture.name for picture in find_pictures(["?.*"])] == ["a.png", "b.JPG", "c.tiff"]
    monkeypatch.chdir(folder / "deep")
    assert [picture.name for picture in find_pictures(["../?.png"])] == ["../a.png"]


def test_file_with_a_name_like_a_pattern_is_that_file(folder: Path) -> None:
    assert names(folder, f"{folder}/[1].png") == ["[1].png"]


def test_order_of_arguments_is_kept(folder: Path) -> None:
    assert names(folder, f"{folder}/c.tiff", f"{folder}/a.png") == ["c.tiff", "a.png"]


@pytest.mark.parametrize(
    ("argument", "reason"),
    [("photos/deep/*.png", "pattern matches no file"), ("empty", "folder holds no picture files")],
)
def test_argument_that_gives_nothing_fails_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, argument: str, reason: str
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("empty").mkdir()
    nothing, picture = find_pictures([argument, "photos/a.png"])
    with pytest.raises(ImageError, match=rf"Cannot read {argument[:5]}.*{reason}"):
        nothing.open()
    assert picture.open() == Path("photos/a.png")


def test_pattern_that_glob_refuses_fails_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, pattern: str) -> None:
        raise ValueError("Invalid pattern")

    monkeypatch.setattr(Path, "glob", refuse)  # as Python 3.12 does
    refused, picture = find_pictures([f"{folder}/a**.png", f"{folder}/a.png"])
    with pytest.raises(ImageError, match="Invalid pattern"):
        refused.open()
    assert picture.error is None


def test_standard_input_is_one_picture() -> None:
    (picture,) = find_pictures(["-"])
    assert (picture.name, picture.path, picture.error) == ("stdin", None, None)
    with pytest.raises(OptionError, match="given twice"):
        find_pictures(["-", "a.png", "-"])


def test_suffixes_are_those_pillow_reads() -> None:
    from PIL import Image

    readable = {
        suffix for suffix, form in Image.registered_extensions().items() if form in Image.OPEN
    }
    assert readable >= PICTURE_SUFFIXES - {".avif", ".jp2"}, "optional codecs aside"

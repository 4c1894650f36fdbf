from __future__ import annotations

from pathlib import Path

import pytest

from demo_app.models.files import list_folder
from sdk.errors import SdkError


def test_folders_come_before_pictures_and_other_files_are_left_out(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "c.gif", "notes.txt", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "zoo").mkdir()
    assert [entry.name for entry in list_folder(tmp_path)] == [
        "..",
        "zoo",
        "a.png",
        "b.JPG",
        "c.gif",
    ]


def test_root_has_no_way_up() -> None:
    assert list_folder(Path("/"))[0].name != ".."


def test_folder_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(SdkError, match="gone"):
        list_folder(tmp_path / "gone")

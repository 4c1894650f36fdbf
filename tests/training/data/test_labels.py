"""Labeled folders: rows that are none, and pictures that lie outside."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from training.data.labels import LABELS, read_labels
from training.errors import TrainingError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.png").write_bytes(b"of others")
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(b"picture")
    (folder / "link.png").symlink_to(folder / "images" / "a.png")
    (folder / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop.png").symlink_to(folder / "loop.png")
    return folder


def test_rows_in_order(folder: Path) -> None:
    rows = [{"image": "images/a.png", "text": "é"}, {"image": "images/../link.png", "texts": []}]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / LABELS).write_text(text, encoding="utf-8")
    found = list(read_labels(folder))
    assert [row for _, row in found] == rows
    assert [picture.read_bytes() for picture, _ in found] == [b"picture", b"picture"]


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "/etc/hostname", "out.png", "up/secret.png", "loop.png", "a\0b.png"],
)
def test_a_picture_outside_the_folder_is_not_opened(folder: Path, name: str) -> None:
    rows = [{"image": "images/a.png"}, {"image": name}]
    (folder / LABELS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    labels = read_labels(folder)
    next(labels)
    with pytest.raises(TrainingError, match=r"labels\.jsonl, row 2: .*inside the folder"):
        next(labels)


@pytest.mark.parametrize(
    "row",
    [b"", b"{", b"[1]", b"{}", b'{"image": 5}', b"\xff\xfe", b"[" * 200_000, b"1" + b"0" * 9999],
)
def test_a_row_that_is_none_is_named(folder: Path, row: bytes) -> None:
    (folder / LABELS).write_bytes(row + b"\n")
    with pytest.raises(TrainingError, match="row 1 is not a label"):
        list(read_labels(folder))


def test_a_pipe_holds_no_labels(folder: Path) -> None:
    os.mkfifo(folder / LABELS)
    with pytest.raises(TrainingError, match="regular file"):
        list(read_labels(folder))


def test_labels_without_a_row_are_told(folder: Path) -> None:
    (folder / LABELS).write_bytes(b"")
    with pytest.raises(TrainingError, match="holds no row"):
        list(read_labels(folder))

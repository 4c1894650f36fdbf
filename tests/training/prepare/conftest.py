"""Folders of pictures of lines with their labels in many forms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.conftest import draw_text
from training.__main__ import main

TEXTS = ["LOT 7", 'say "hi", please', "A,B;C", "12:30", "x", "EXP 2030", "77 kg", "#5 (a)"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a picture of each text of `TEXTS`."""
    folder = tmp_path / "own"
    (folder / "images").mkdir(parents=True)
    for i, text in enumerate(TEXTS):
        Image.fromarray(draw_text(text, 24)).save(folder / "images" / f"{i}.png")
    return folder


def prepare(folder: Path, *options: str) -> int:
    """Run the command, into the folder ``set`` beside the pictures."""
    out = folder.parent / "set"
    return main(["lines", "prepare", str(folder), "--out", str(out), *options])


def rows(folder: Path) -> list[dict[str, object]]:
    """Return the rows that the command wrote for a folder of pictures."""
    lines = (folder.parent / "set" / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def pixels(path: Path) -> np.ndarray:
    return np.array(Image.open(path).convert("RGB"))

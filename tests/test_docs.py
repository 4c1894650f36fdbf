"""What the documentation shows: its programs run as they stand, and its output is true."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sdk import Reader

ROOT = Path(__file__).parent.parent
PROGRAM = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = ("concurrency.md",)


def programs() -> list[object]:
    return [
        pytest.param(program, id=f"{page}-{i}")
        for page in PAGES
        for i, program in enumerate(PROGRAM.findall((ROOT / "docs" / page).read_text()))
    ]


@pytest.mark.parametrize("program", programs())
def test_program_runs(program: str, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(program)
    done = subprocess.run(
        [sys.executable, file],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "LOT 26A417" in done.stdout


def test_readme_shows_what_its_photo_reads() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    (.+) (\d\.\d+) (\(\(.+\)\))$", text, re.MULTILINE)
    with Reader() as reader:
        reading = reader.read(ROOT / "docs" / "photo.jpg")
    assert [row[0] for row in shown] == reading.texts
    for (_, confidence, quad), line in zip(shown, reading, strict=True):
        assert float(confidence) == pytest.approx(line.confidence, abs=0.05)
        assert np.array(ast.literal_eval(quad)) == pytest.approx(np.array(line.quad), abs=3)

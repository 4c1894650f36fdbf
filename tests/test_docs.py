"""The programs that the documentation shows run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    assert "6MTX892" in done.stdout

"""A program frozen by PyInstaller reads: the hooks take model and interpreter along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = """
import sys
from sdk import Reader

reader = Reader(device="cpu")
print(reader.describe()["folder"], reader.describe()["interpreter"])
print(*(line.text for line in reader.read(sys.argv[1])), sep="\\n")
"""


def test_a_frozen_program_reads(tmp_path: Path) -> None:
    (tmp_path / "reads.py").write_text(PROGRAM)
    environment = {**os.environ, "PYINSTALLER_CONFIG_DIR": str(tmp_path / "cache")}
    # --paths: PyInstaller does not see what is installed editably
    build = [sys.executable, "-m", "PyInstaller", "--log-level", "ERROR", "--paths", str(ROOT)]
    subprocess.run([*build, "reads.py"], cwd=tmp_path, env=environment, check=True)
    done = subprocess.run(
        [tmp_path / "dist" / "reads" / "reads", ROOT / "docs" / "photo.jpg"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    about, *lines = done.stdout.splitlines()
    assert about.startswith(str(tmp_path / "dist"))
    assert "of unknown version" not in about
    assert {"HYDROLINE", "LOT 26A417", "SN 40718-C"} <= set(lines)

"""How much memory loading takes, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import sys
from sdk.machine import (peak_rss_mib)
from sdk.image.load import load_image
load_image(sys.argv[2])  # what loading needs once
before = peak_rss_mib()
pixels = load_image(sys.argv[1])
print(2**20 * (peak_rss_mib() - before) / (pixels.size / 3))
"""


def bytes_a_pixel(path: Path, small: Path) -> float:
    """The peak memory of loading a picture, after a small one of its kind, by its pixels."""
    if not Path("/proc/self/status").exists():
        pytest.skip("elsewhere a child's peak begins with its parent's")
    command = [sys.executable, "-c", _PROGRAM, str(path), str(small)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

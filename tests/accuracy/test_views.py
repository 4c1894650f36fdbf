"""What each candidate view is worth, measured on pictures of the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.views import lists_of
from sdk.model.settings import DecodeSettings
from sdk.model.views import BandView, PartView

ROOT = Path(__file__).resolve().parents[2]
POLICY = DecodeSettings().retry  # has the views of the packaged bundle
ROW = re.compile(
    r"^(.+?) +(\d+) of (\d+)(?:  e2e [01]\.\d{3})? +(\d+\.\d\d) runs per label$", re.MULTILINE
)


def test_lists_of_views() -> None:
    part, band = PartView(side=0.1), BandView(room=0.25)
    assert dict(lists_of((part, band))) == {
        "all": (part, band),
        "none": (),
        "bands only": (band,),
        "parts only": (part,),
        "without 1 {'part': {'side': 0.1}}": (band,),
        "without 2 {'band': {'room': 0.25}}": (part,),
    }


def test_command_counts_readings_and_runs() -> None:
    command = [sys.executable, "-m", "benchmarks.views", "tests/accuracy", "--only"]
    done = subprocess.run(
        [*command, "drawn-lines,drawn", "--limit", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    crops, photos = done.stdout.split("retry.")[1:]
    if crops.startswith("photo"):
        crops, photos = photos, crops
    for text, views in ((crops, len(POLICY.crop.views)), (photos, len(POLICY.photo.views))):
        rows = {
            name: (int(right), int(n), float(runs)) for name, right, n, runs in ROW.findall(text)
        }
        assert len(rows) == 4 + views
        assert all(right <= n and n >= 2 for right, n, _ in rows.values())
        assert 1 <= rows["none"][2] <= rows["all"][2]

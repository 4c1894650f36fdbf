"""A signal in the first stages of ``training specialize``: nothing is left."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.training.started import start

PHOTO = Path(__file__).parents[3] / "docs" / "photo.jpg"


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("photo 1 of 2", signal.SIGINT),
        ("comparing", signal.SIGINT),
        ("product: 100 of 6000", signal.SIGTERM),
    ],
)
def test_a_stopped_command_leaves_nothing(
    stage: str, number: signal.Signals, tmp_path: Path
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "made" / "readers" / "lot"
    photos.mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(PHOTO, photos / name)
    pattern = "LOT [0-9]{2}[A-Z][0-9]{3}"
    running = start("specialize", "--photos", str(photos), "--pattern", pattern, "--out", str(out))
    assert running.stderr is not None
    assert any(stage in line for line in running.stderr)
    running.send_signal(number)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 130
    assert said.splitlines()[-1] == "interrupted; run the same command again"
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]

"""Standard error of commands that read: no notes of the interpreter, but its errors."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from sdk.model.bundle import DEFAULT_BUNDLE, MANIFEST_NAME
from sdk.model.manifest import GraphSpec
from tests.sdk.engine.delegates import compile_for_edgetpu
from tests.training.conftest import draw_text

PHOTO = Path(__file__).parents[2] / "docs" / "photo.jpg"
LOT = {"text": "LOT 26A417", "quad": [[545, 291], [723, 308], [721, 336], [542, 319]]}


@pytest.fixture
def labeled(tmp_path: Path) -> Path:
    """A folder of a labeled photo, and of pictures of lines with a table of their texts."""
    folder = tmp_path / "labeled"
    folder.mkdir()
    shutil.copy(PHOTO, folder)
    (folder / "labels.jsonl").write_text(json.dumps({"image": PHOTO.name, "texts": [LOT]}))
    rows = ["image,text"]
    for number in range(4):
        Image.fromarray(draw_text(f"LOT {number}", 32)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,LOT {number}")
    (folder / "lines.csv").write_text("\n".join(rows))
    return folder


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ("training", "evaluate", "--bundle", DEFAULT_BUNDLE),
        ("training", "diagnose", "--bundle", DEFAULT_BUNDLE, "--out", "OUT"),
        ("convert", "compare", DEFAULT_BUNDLE, "--out", "OUT"),
    ],
)
def test_readings_are_told_without_notes(
    words: tuple[str, ...], labeled: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run(*(out if word == "OUT" else word for word in words), "--data", labeled)
    assert done.returncode == 0, done.stderr
    assert "INFO" not in done.stderr and "delegate" not in done.stderr


def test_labels_are_checked_without_notes(labeled: Path, tmp_path: Path) -> None:
    table, out = labeled / "lines.csv", tmp_path / "out"
    split = ("--labels", table, "--split", "50/25/25", "--check-labels")
    done = run("training", "lines", "prepare", labeled, *split, "--out", out)
    assert done.returncode == 0, done.stderr
    assert all(row.startswith("prepare: ") for row in done.stderr.splitlines())


def test_an_error_of_the_interpreter_is_told(labeled: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(DEFAULT_BUNDLE, bundle)
    manifest = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
    graphs = manifest["variants"][manifest["default_variant"]]
    before = GraphSpec.from_dict(graphs["line"])
    compile_for_edgetpu(DEFAULT_BUNDLE / before.file, bundle / before.file)
    after = GraphSpec.of_file(bundle / before.file, before.inputs, before.outputs)
    graphs["line"] = after.to_dict()
    (bundle / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    done = run("training", "evaluate", "--bundle", bundle, "--data", labeled)
    assert done.returncode == 1
    # the interpreter's "unresolved custom op", as the SDK explains it
    assert done.stderr.startswith("error: ") and "compiled for the Edge TPU" in done.stderr

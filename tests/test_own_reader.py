"""The chain of docs/own-reader.md in the small: labeled pictures become a compared bundle."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convert.__main__ import main as convert
from sdk import Reader
from sdk.model.bundle import Bundle
from tests.training.conftest import LINE_TOML, draw_text
from training.__main__ import main as training

CHARACTERS = "01247€"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of prices, a CSV file of their texts, one text missing, one picture torn."""
    folder = tmp_path_factory.mktemp("own") / "prices"
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", "text"])
        for i in range(160):
            text = "".join(rng.choice(list(CHARACTERS), rng.integers(2, 5)))
            line = draw_text(text, int(rng.integers(20, 40)))
            line[0, 0] = i, 0, 0  # no two are equal
            Image.fromarray(line).save(folder / f"{i}.png")
            writer.writerow([f"{i}.png", text if i else ""])
    (folder / "1.png").write_bytes(b"torn")
    return folder


def test_labeled_pictures_become_a_bundle_with_their_characters(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = pictures.parent
    own, run, bundle = home / "own", home / "run", home / "bundle"
    arguments = [str(pictures), "--charset", "auto", "--out", str(own)]
    assert training(["lines", "prepare", *arguments]) == 0
    said = capsys.readouterr().out
    assert "158 lines" in said and "1 no text" in said and "1 picture unreadable" in said

    (home / "line.toml").write_text(LINE_TOML)
    files = ["--config", str(home / "line.toml"), "--data", str(own), "--charset", str(own)]
    assert training(["fit", *files, "--steps", "60", "--patience", "9", "--run", str(run)]) == 0
    with (run / "validation.csv").open(newline="") as file:
        (measures,) = csv.DictReader(file)
    splits = json.loads((own / "statistics.json").read_text(encoding="utf-8"))["splits"]
    assert float(measures["lines_own"]) == splits["validation"]

    capsys.readouterr()
    assert training(["evaluate", "--run", str(run), "--data", str(own)]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["split"] == "test" and row["lines"] == splits["test"] and row["cer_norm"] >= 0

    sizes = ["--line-width", "64", "--calibration-count", "16", "--count", "8", "--min-same", "0"]
    samples = ["--calibration", str(own), "--max-lost", "1", "--min-correlation", "0"]
    exported = ["export", str(run), *samples, *sizes, "--precision", "fp32", "int8"]
    capsys.readouterr()
    assert convert([*exported, "--compare", str(own), "--out", str(bundle)]) == 0
    # the last command ends with the packaged model against the new one, on the test split
    said = capsys.readouterr().out
    assert "default/int8" in said and "bundle/fp32" in said and "bundle/int8" in said
    with (bundle / "compare" / "compare.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    labels = str(splits["test"])
    assert {(row["set"], row["labels"]) for row in found} == {("all", labels), ("own", labels)}
    assert len(found) == 6
    assert convert([*exported, "--compare", str(home / "none"), "--out", str(home / "b")]) == 1
    assert "Nothing to evaluate on" in capsys.readouterr().err and not (home / "b").exists()
    assert set(Bundle.open(bundle).manifest.charset.symbols) == set(CHARACTERS)
    with Reader(bundle) as reader:
        line = reader.read_line(pictures / "5.png")
    assert set(line.text) <= set(CHARACTERS)

"""The whole chain on a small scale: generate, train, export to int8, read with the SDK.

The networks are trained for a few steps only, so their readings are nonsense, but the same nonsense
after every step of the chain.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import pytest

from convert.__main__ import main as convert
from convert.source.line_features import line_features
from sdk import Reader
from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.engine import open_engine
from sdk.model.bundle import Bundle
from sdk.recognize.ctc import decode
from sdk.rectify.crop import pad_crops
from tests.convert.conftest import TRUNK
from training.__main__ import main as training
from training.data.shards import list_shards, read_shard
from training.runs.folder import load_run

# Not the default order: whatever decodes with another charset than the run's reads other texts.
CHARSET = Charset(DEFAULT_CHARSET.symbols[::-1])

LINE = f"""
[model]
kind = "line"
charset = {json.dumps(CHARSET.symbols)}
[model.line]
stem = [8, 8, 16]
blocks = 1
[model.recognizer]
widths = [16, 16, 32]
blocks = 1
kernel = 5
[data]
buckets = [64, 128, 256]
columns = 512
validation = 4
workers = 1
[train]
steps = 12
warmup = 2
learning_rate = 3e-3
log_every = 4
rescan_steps = 0
ema = 0.5
"""

FOTS = LINE.replace('"line"', '"fots"', 1).replace(
    "[data]",
    f"""[model.detector]
trunk = "{TRUNK}"
features = 16
neck = [16, 16, 16]
head_blocks = 1
[data]
crop = 96
batch = 2
rois = 3""",
)

FRAME = (128, 160)

# Greatest difference of a float graph as a share of the output's peak.
FLOAT_TOLERANCE = 1e-3
# Least correlation of an integer graph's output: after a few steps, maps vary by few of its levels.
INT8_CORRELATION = 0.9


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the commands of the chain; return a folder with photos, lines, fots, line and bundle."""
    home = tmp_path_factory.mktemp("chain")
    sizes = {"photo": ["--size", "160x128", "--count", "36"], "line": ["--count", "48"]}
    for kind, size in sizes.items():
        shards = ["--per-shard", "12", "--workers", "1", "--out", str(home / f"{kind}s")]
        assert training(["synth", "--kind", kind, *size, *shards]) == 0
    for kind, text, data in (("line", LINE, "lines"), ("fots", FOTS, "photos")):
        (home / f"{kind}.toml").write_text(text)
        files = ["--config", str(home / f"{kind}.toml"), "--data", str(home / data)]
        assert training(["fit", *files, "--run", str(home / kind)]) == 0
    runs = [str(home / "fots"), str(home / "line")]
    samples = ["--calibration", str(home / "photos"), str(home / "lines")]
    counts = ["--calibration-count", "24", "--count", "6", "--min-same", "0"]
    sizes_out = ["--frame", "160x128", "--line-width", "128", "--columns", "32"]
    bundle = ["--precision", "fp32", "int8", "--out", str(home / "bundle")]
    # Uncertain lines are not read again.
    decoding = [
        "--decode",
        "retry.photo.confidence=0",
        "retry.crop.confidence=0",
        "retry.flip.confidence=0",
        "detect.score_threshold=0.05",
        "recognize.digit_odds=1",
    ]
    assert convert(["export", *runs, *bundle, *samples, *counts, *sizes_out, *decoding]) == 0
    return home


@pytest.fixture(scope="module")
def models(chain: Path) -> dict[str, Any]:
    return dict(load_run(chain / "fots").models) | dict(load_run(chain / "line").models)


def rows(folder: Path, count: int) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """Return samples of the last shard, of which the calibration has the fewest."""
    return list(read_shard(list_shards(folder)[-1]))[-count:]


def agree(found: np.ndarray, expected: np.ndarray, variant: str) -> None:
    assert found.shape == expected.shape
    if variant == "fp32":
        allowed = FLOAT_TOLERANCE * np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=allowed)
    else:
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] >= INT8_CORRELATION


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_detector_and_recognizer_agree_with_keras(
    chain: Path, models: dict[str, Any], variant: str
) -> None:
    bundle = Bundle.open(chain / "bundle", variant)
    detector = open_engine(bundle.graph("detector"), threads=1)
    recognizer = open_engine(bundle.graph("recognizer"), threads=1)
    lines = 0
    for image, record in rows(chain / "photos", 4):
        assert image.shape[:2] == FRAME
        expected = {k: np.asarray(v) for k, v in models["detector"](image[None]).items()}
        found = detector.run({"image": image[None]})
        assert set(found) == set(expected)
        for name, value in expected.items():
            agree(found[name], value, variant)
        quads = np.array([t["quad"] for t in record["texts"]], np.float32).reshape(-1, 4, 2)
        if len(quads):
            features, _ = line_features(expected["features"][0], quads, 48)
            logits = np.asarray(models["recognizer"](features))
            agree(recognizer.run({"features": features})["logits"], logits, variant)
            lines += len(quads)
    assert lines > 0


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_line_graph_agrees_with_keras(chain: Path, models: dict[str, Any], variant: str) -> None:
    line = open_engine(Bundle.open(chain / "bundle", variant).graph("line"), threads=1)
    for image, _ in rows(chain / "lines", 4):
        framed = pad_crops([image[:, :384]], 384)
        agree(line.run({"strip": framed})["logits"], np.asarray(models["line"](framed)), variant)


def test_reader_reads_what_keras_reads(chain: Path, models: dict[str, Any]) -> None:
    read = ""
    widths = Bundle.open(chain / "bundle").manifest.decode.recognize.line_widths
    with Reader(chain / "bundle", variant="fp32") as reader:
        for image, _ in rows(chain / "lines", 6):
            width = image.shape[1]
            frame = next(w for w in widths if w >= width)
            logits = np.asarray(models["line"](pad_crops([image], frame)))
            expected = decode(logits[0, 0, : -(-width // 4)], CHARSET)
            found = reader.read_line(image)
            assert found.text == expected.text
            assert found.confidence == pytest.approx(expected.confidence, abs=1e-3)
            read += found.text
    assert read, "all readings are empty: nothing was compared"


def test_reader_reads_photos_with_the_default_variant(chain: Path) -> None:
    with Reader(chain / "bundle") as reader:
        assert reader.describe()["variant"] == "int8"
        assert reader.describe()["frame"] == list(FRAME)
        images = [image for image, _ in rows(chain / "photos", 12)]
        read, restricted = [], []
        for image in images:
            reading = reader.read(image, min_confidence=0)
            assert (reading.width, reading.height) == (160, 128)
            read += reading
            restricted += reader.read(image, min_confidence=0, charset="0123456789")
        assert all(0 < line.confidence <= 1 for line in (*read, *restricted))
        free = set().union(*(line.text for line in read))
        assert not free <= set("0123456789"), "the restriction has nothing to change"
        digits = set().union(*(line.text for line in restricted))
        assert digits <= set("0123456789")
        own = "".join(sorted(free))
        again = [x for image in images for x in reader.read(image, min_confidence=0, charset=own)]
        assert [line.text for line in again] == [line.text for line in read]

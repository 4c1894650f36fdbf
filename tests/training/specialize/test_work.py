"""From photos and a pattern to a bundle with a report, in the small."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sdk import Reader
from sdk.model.bundle import Bundle
from tests.training.conftest import line_samples
from training.cli import main
from training.data.shards import shard_path, write_shard

PHOTO = Path(__file__).parents[3] / "docs" / "photo.jpg"
PATTERN = "LOT [0-9]{2}[A-Z][0-9]{3}"
LABELS = (
    '{"image": "photo.jpg", "texts": [{"text": "LOT 26A417", "quad": [[545, 291], [723, 308], '
    '[721, 336], [542, 319]]}, {"text": "QTY 12", "quad": [[202, 266], [288, 273], [286, 297], '
    "[200, 291]]}]}\n"
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(PHOTO, folder)
    (folder / "labels.jsonl").write_text(LABELS, encoding="utf-8")
    return folder


def test_a_reader_is_made_compared_and_reported(photos: Path, tmp_path: Path) -> None:
    general = tmp_path / "general"
    for number in range(2):
        rng = np.random.default_rng(number)
        write_shard(shard_path(general, number), line_samples(rng, 16))
    out = tmp_path / "made" / "lot-reader"
    arguments = [
        *("specialize", "--photos", str(photos), "--pattern", PATTERN, "--out", str(out)),
        *("--minutes", "0.05", "--lines", "24", "--held", "8", "--general", str(general)),
    ]
    assert main(arguments) == 0
    assert sorted(path.name for path in out.parent.iterdir()) == ["lot-reader"]
    bundle = Bundle.open(out)
    assert bundle.manifest.detector_of == "default"
    assert not list(out.glob("detector*"))
    assert bundle.manifest.temperature.keys() == {"line"}
    with Reader(out, threads=1) as reader:
        [line] = [x for x in reader.read(PHOTO, pattern=PATTERN) if x.pattern_ok]
    assert line.text == "LOT 26A417"
    report = (out / "report" / "report.md").read_text(encoding="utf-8")
    rows = [row for row in report.splitlines() if row.startswith("| generated, held back")]
    assert len(rows) == 4
    assert all(" of 8 |" in row for row in rows)
    # the label QTY 12 does not fit the pattern
    labeled = [row for row in report.splitlines() if row.startswith("| labeled photos")]
    assert len(labeled) == 4
    assert all(" of 1 |" in row for row in labeled)
    assert (out / "report" / "samples.png").exists()

    assert main(arguments) == 1  # a bundle is never replaced


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--pattern", "X{9}"], "No line of the 1 photos fits the pattern"),
        (["--pattern", "["], "pattern"),
        (["--photos", "nowhere"], "There is no folder"),
        (["--base", "nowhere"], "Cannot open the model bundle"),
    ],
)
def test_nothing_is_left_after_an_error(
    photos: Path,
    tmp_path: Path,
    change: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {"--photos": str(photos), "--pattern": PATTERN, "--out": str(tmp_path / "made" / "a")}
    given |= {change[0]: change[1]}
    assert main(["specialize", *(word for pair in given.items() for word in pair)]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert not (tmp_path / "made").exists()

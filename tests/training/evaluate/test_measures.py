import json

import cv2
import numpy as np
import pytest

from sdk.charset import Charset
from sdk.rectify.crop import pad_crops
from sdk.results import TextLine
from sdk.station import History, Job, judge
from tests.sdk.station.readings import make_reading
from tests.training.conftest import FOTS_TOML, LINE_TOML
from training.__main__ import main
from training.config import parse_config
from training.data.dataset import Part
from training.data.photos import Photos
from training.data.sets import find_sets, read_samples
from training.data.shards import list_shards, read_shard, shard_path, write_shard
from training.errors import TrainingError
from training.evaluate.measures import evaluate, score_lines
from training.evaluate.preview import preview_batches
from training.evaluate.readers import NetworkReader
from training.evaluate.reading import LineReading, picture_quad, read_line_images
from training.loop.curves import draw_curves, read_rows
from training.runs.folder import load_run


class Answers:
    """Reads every picture right but those named."""

    def __init__(self, folder, wrong=()):
        self._left = [record for path in list_shards(folder) for _, record in read_shard(path)]
        self._wrong = wrong

    def read_line(self, image):
        record = self._left.pop(0)
        text = "?" if record["image"] in self._wrong else record["text"]
        return LineReading(text, picture_quad(image))

    def read_photo(self, image):
        record = self._left.pop(0)
        lines = [LineReading(t["text"], np.array(t["quad"], np.float32)) for t in record["texts"]]
        return lines[:1] if record["image"] in self._wrong else lines


def test_score_lines():
    scores = score_lines(["ab-1", "X"], ["AB1", "Y"])
    assert scores == {"lines": 2.0, "exact": 0.0, "exact_norm": 0.5, "cer_norm": 0.25}


def test_measures_of_lines(line_shards):
    right = evaluate(Answers(line_shards), line_shards, limit=20)
    assert right["lines"] == 20 and right["exact"] == 1
    wrong = evaluate(Answers(line_shards, wrong=["00000003.jpg"]), line_shards, limit=20)
    assert wrong["exact"] == 0.95


def test_measures_of_photos(photo_shards):
    right = evaluate(Answers(photo_shards), photo_shards)
    assert right == {"precision": 1, "recall": 1, "hmean": 1, "e2e": 1}
    half = evaluate(Answers(photo_shards, wrong=["00000000.jpg"]), photo_shards, limit=1)
    assert half["precision"] == 1 and half["recall"] == 0.5
    assert half["e2e"] == pytest.approx(2 / 3)


def test_labelled_folders_equal_shards(line_shards, line_run, tmp_path):
    rows = []
    for i, (image, record) in zip(range(8), read_shard(list_shards(line_shards)[0]), strict=False):
        cv2.imwrite(str(tmp_path / f"{i}.png"), image[..., ::-1])
        rows.append(json.dumps({**record, "image": f"{i}.png"}))
    (tmp_path / "labels.jsonl").write_text("\n".join(rows) + "\n")
    run = load_run(line_run)
    reader = NetworkReader(run.models, run.config)
    assert evaluate(reader, tmp_path) == evaluate(reader, line_shards, limit=8)


def test_a_line_image_reads_the_same_alone_and_in_a_batch(line_shards, line_run):
    run = load_run(line_run)
    reader = NetworkReader(run.models, run.config)
    images = [image for image, _ in read_shard(list_shards(line_shards)[0])]
    # of one width, because padding reaches some columns into the line
    frame = -(-images[0].shape[1] // 32) * 32
    same = [s for s in images if -(-s.shape[1] // 32) * 32 == frame][:6]
    columns = [-(-s.shape[1] // 4) for s in same]
    charset = Charset(run.config.model.charset)
    together = read_line_images(
        run.models["line"], pad_crops(same, frame), columns, charset, batch=4
    )
    assert together == [reader.read_line(image).text for image in same]
    with pytest.raises(TrainingError, match="has no detector"):
        reader.read_photo(np.zeros((64, 64, 3), np.uint8))


def test_command_prints_a_row_per_set(line_shards, line_run, capsys):
    assert find_sets(line_shards) == [line_shards]
    assert line_shards in find_sets(line_shards.parent)
    arguments = ["--run", str(line_run), "--data", str(line_shards), "--limit", "2"]
    assert main(["evaluate", *arguments]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["set"] == line_shards.name and row["lines"] == 2


def test_bundle_reads_with_the_threads_asked_for(line_shards, monkeypatch, capsys):
    told = []

    class Reader:
        def __init__(self, model, *, threads):
            told.append((model, threads))

        def read_line(self, image):
            return TextLine("1", 1.0, picture_quad(image))

        def close(self):
            told.append("closed")

    monkeypatch.setattr("training.evaluate.readers.Reader", Reader)
    arguments = ["--bundle", "b", "--data", str(line_shards), "--limit", "2", "--threads", "1"]
    assert main(["evaluate", *arguments]) == 0
    assert told == [("b", 1), "closed"]


def test_nothing_to_evaluate(line_run, tmp_path, capsys):
    assert main(["evaluate", "--run", str(line_run), "--data", str(tmp_path)]) == 1
    assert "Nothing to evaluate" in capsys.readouterr().err
    (tmp_path / "labels.jsonl").write_text("[1]\n")
    assert main(["evaluate", "--run", str(line_run), "--data", str(tmp_path)]) == 1
    assert "row 1 is not a label" in capsys.readouterr().err


@pytest.mark.parametrize(
    "label",
    [
        {},
        {"text": "A", "texts": []},
        {"texts": None},
        {"texts": [{"quad": None}]},
        {"texts": [{"text": "A"}]},
        {"texts": [{"text": "A", "quad": "ABCD"}]},
        {"texts": [{"text": "A", "quad": [[0, 0], [1, 0], [1, 1]]}]},
        {"texts": [{"text": "A", "quad": [[0, 0], [1, 0], [1, 1], [0, 10**400]]}]},
    ],
)
def test_picture_without_a_label_is_named(label, tmp_path):
    image = np.zeros((32, 32, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    (tmp_path / "labels.jsonl").write_text(json.dumps({"image": "a.png", **label}) + "\n")
    with pytest.raises(TrainingError, match=r"row 1: a\.png has no label"):
        next(read_samples(tmp_path))
    shard = tmp_path / "shards"
    write_shard(shard_path(shard, 0), [(0, image, label)])
    with pytest.raises(TrainingError, match=r"00000000\.jpg has no label"):
        next(read_samples(shard))


def test_previews(line_shards, photo_shards, line_run, tmp_path):
    (tmp_path / "fots.toml").write_text(FOTS_TOML)
    out = tmp_path / "sheet.png"
    common = ["--out", str(out), "--count", "3"]
    for arguments in (
        ["--config", str(tmp_path / "fots.toml"), "--data", str(photo_shards)],
        ["--run", str(line_run), "--data", str(line_shards)],
    ):
        out.unlink(missing_ok=True)
        assert main(["preview", *arguments, *common]) == 0
        sheet = cv2.imread(str(out))
        assert sheet.shape[0] > 30 and sheet.std() > 5
    shown = preview_batches(
        parse_config(LINE_TOML), Part(line_shards, list_shards(line_shards)[0].name), 5
    )
    assert len(shown) == 5 and all(p.shape[0] == 32 for p in shown)
    missing = tmp_path / "no" / "sheet.png"
    arguments = ["--config", str(tmp_path / "fots.toml"), "--data", str(photo_shards)]
    assert main(["preview", *arguments, "--out", str(missing), "--count", "1"]) == 1
    assert not missing.exists()


def test_photos_keep_their_labels(photo_shards):
    photos = Photos()
    photos.add(Part(photo_shards, list_shards(photo_shards)[0].name))
    _, record = next(iter(read_shard(list_shards(photo_shards)[0])))
    whole = photos.whole(0)
    assert whole.texts == [t["text"] for t in record["texts"]]
    assert (whole.quads == np.array([t["quad"] for t in record["texts"]])).all()


def test_curves(tmp_path):
    (tmp_path / "train.csv").write_text("step,seconds,loss\n1,1,9\n2,2,nan\n3,3,4\n")
    assert read_rows(tmp_path / "train.csv")["loss"][0] == (1.0, 9.0)
    assert read_rows(tmp_path / "none.csv") == {}
    # rows of a disk that was full for a while
    (tmp_path / "torn.csv").write_text("step,seconds,loss\n1,1,9\n2,2.3,3,4\n4,4,\n5,5,x\n6,6,2\n")
    assert read_rows(tmp_path / "torn.csv") == {"loss": [(1.0, 9.0), (6.0, 2.0)]}
    draw_curves([tmp_path / "train.csv", tmp_path / "none.csv"], tmp_path / "curves.png")
    assert cv2.imread(str(tmp_path / "curves.png")).min() < 100


def test_corrections_of_a_station_are_a_labeled_set(tmp_path):
    image = np.full((480, 640, 3), 200, np.uint8)
    with History(tmp_path / "line.db", pictures="all") as history:
        for text in ("MILK", "M1LK", "SILK"):
            record = history.add(judge(Job("milk"), make_reading(text, "L1")), image)
            history.correct(record, "MILK\nL1")
        history.export_labels(tmp_path / "set" / "corrected")
        quads = [line.quad for line in history.get(1).verdict.reading]

    class Constant:
        def read_photo(self, image):
            return [LineReading(t, np.array(q)) for t, q in zip(["MILK", "L7"], quads, strict=True)]

    (found,) = find_sets(tmp_path / "set")
    measures = evaluate(Constant(), found)
    assert measures["hmean"] == 1
    assert measures["e2e"] == 0.5

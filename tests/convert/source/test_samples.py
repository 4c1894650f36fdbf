from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.errors import ConvertError
from convert.export.export import Options
from convert.export.export import _samples as export_samples
from convert.quantize.tune import Tuning
from convert.quantize.tune import _samples as tuning_samples
from convert.source.samples import (
    CALIBRATION_SEED,
    TUNING_SEED,
    VERIFICATION_SEED,
    LineSample,
    PhotoSample,
    Samples,
    gather,
    generate,
)
from sdk.model.settings import DecodeSettings
from training.data.shards import shard_path, write_shard
from training.synth.fonts import FontLibrary

Picture = Callable[[int, int, int], np.ndarray]

QUAD = [[10.0, 10.0], [90.0, 10.0], [90.0, 30.0], [10.0, 30.0]]
FRAME = (64, 96)


def line(text: str, ignore: bool = False) -> dict[str, object]:
    return {"text": text, "quad": QUAD, "ignore": ignore, "chars": []}


@pytest.fixture
def photo_shards(tmp_path: Path, picture: Picture) -> Path:
    for number, text in enumerate(("A", "B")):
        rows = [
            (i, picture(i, 128, 192), {"texts": [line(f"{text}{i}"), line("?", ignore=True)]})
            for i in range(3)
        ]
        write_shard(shard_path(tmp_path / "photos", number), rows)
    return tmp_path / "photos"


@pytest.fixture
def line_shards(tmp_path: Path, picture: Picture) -> Path:
    rows = [(i, picture(i, 32, 40 + i), {"text": f"S{i}"}) for i in range(4)]
    write_shard(shard_path(tmp_path / "lines", 0), rows)
    return tmp_path / "lines"


def test_shards_are_taken_in_turn_and_fitted(photo_shards: Path, line_shards: Path) -> None:
    samples = gather([photo_shards, line_shards], 4, 3, FRAME)
    assert [photo.texts for photo in samples.photos] == [("A0",), ("B0",), ("A1",), ("B1",)]
    assert all(photo.frame.shape == (64, 96, 3) for photo in samples.photos)
    # 192x128 halves into the frame, and so do the quads.
    np.testing.assert_allclose(samples.photos[0].quads, np.array([QUAD]) / 2)
    assert [line.text for line in samples.lines] == ["S0", "S1", "S2"]
    assert samples.lines[2].pixels.shape == (32, 42, 3)


def test_lines_are_cropped_from_photos_without_line_images(photo_shards: Path) -> None:
    samples = gather([photo_shards], 6, 4, FRAME)
    assert [line.text for line in samples.lines] == ["A0", "B0", "A1", "B1"]
    # 80x20 px, grown by a twentieth of the height on all sides and a fifth before and after
    assert all(line.pixels.shape == (32, 131, 3) for line in samples.lines)


def test_samples_follow_the_settings_of_decoding(photo_shards: Path) -> None:
    settings = DecodeSettings().changed({"detect.max_scale": 0.25, "recognize.crop_side": 0.5})
    samples = gather([photo_shards], 1, 1, FRAME, settings)
    np.testing.assert_allclose(samples.photos[0].quads, np.array([QUAD]) / 4)
    # half of the height more before and behind the line
    assert samples.lines[0].pixels.shape == (32, 148, 3)


def test_cropped_line_image_shows_its_line(tmp_path: Path) -> None:
    image = np.zeros((128, 192, 3), np.uint8)
    image[10:30, 10:50], image[10:30, 50:90] = (255, 0, 0), (0, 0, 255)
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), image[..., ::-1])
    record = {"image": "images/a.png", "width": 192, "height": 128, "texts": [line("ab")]}
    (tmp_path / "labels.jsonl").write_text(json.dumps(record) + "\n")
    (sample,) = gather([tmp_path], 1, 1, FRAME).lines
    assert (sample.pixels[4:-4, 11:61] == (255, 0, 0)).all()
    assert (sample.pixels[4:-4, 70:-11] == (0, 0, 255)).all()


def test_folder_of_pictures_gives_photos_without_lines(tmp_path: Path, picture: Picture) -> None:
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.jpg"), picture(i, 50, 60))
    (tmp_path / "notes.txt").write_text("no picture")
    samples = gather([tmp_path], 8, 8, FRAME)
    assert [len(photo.quads) for photo in samples.photos] == [0, 0, 0]
    assert samples.lines == ()


def test_unusable_folders_are_refused(tmp_path: Path, photo_shards: Path) -> None:
    with pytest.raises(ConvertError, match="no such folder"):
        gather([tmp_path / "missing"], 1, 1, FRAME)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConvertError, match="holds no picture"):
        gather([tmp_path / "empty"], 1, 1, FRAME)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.jpg").write_bytes(b"\xff\xd8\xff no picture")
    with pytest.raises(ConvertError, match="Cannot take pictures"):
        gather([tmp_path / "broken"], 1, 1, FRAME)
    (tmp_path / "broken" / "labels.jsonl").write_text('{"text": "no picture named"}\n')
    with pytest.raises(ConvertError, match=r"labels\.jsonl"):
        gather([tmp_path / "broken"], 1, 1, FRAME)
    shard = shard_path(photo_shards, 0)
    shard.write_bytes(shard.read_bytes()[:3000])
    with pytest.raises(ConvertError, match="shard-00000"):
        gather([photo_shards], 6, 6, FRAME)


def test_split_keeps_samples_apart() -> None:
    photos = tuple(
        PhotoSample(np.full((4, 4, 3), i, np.uint8), np.zeros((0, 4, 2)), ()) for i in range(9)
    )
    lines = tuple(LineSample(np.full((32, 4, 3), i, np.uint8), None) for i in range(3))
    first, apart = Samples(photos, lines).split(4)
    assert [len(part) for part in (first.photos, apart.photos)] == [5, 4]
    assert [len(part) for part in (first.lines, apart.lines)] == [2, 1]
    values = [int(p.frame[0, 0, 0]) for p in (*first.photos, *apart.photos)]
    assert sorted(values) == list(range(9))


def test_generated_samples_are_the_same_each_time() -> None:
    first, second = (generate(2, 2, FRAME, TUNING_SEED) for _ in range(2))
    assert len(first.photos) == len(first.lines) == 2
    for a, b in zip(first.photos, second.photos, strict=True):
        assert (a.frame == b.frame).all()
        assert (a.quads == b.quads).all()
    for s, t in zip(first.lines, second.lines, strict=True):
        assert (s.pixels == t.pixels).all()
        assert s.text == t.text
        assert s.text


def test_uses_of_generated_samples_share_nothing() -> None:
    uses = [
        tuning_samples(Tuning(count=2, frame=FRAME)),
        export_samples(Options(count=2, held_back=2, frame=FRAME)),
        generate(4, 20, FRAME, VERIFICATION_SEED),
    ]
    for items in (
        [p.frame for s in uses for p in s.photos],
        [s.pixels for u in uses for s in u.lines],
    ):
        assert len({item.tobytes() for item in items}) == len(items)


def test_machine_without_fonts_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "training.synth.generator.default_library", lambda folder, more="": FontLibrary([tmp_path])
    )
    with pytest.raises(ConvertError, match=r"no usable font.*--calibration"):
        generate(1, 1, FRAME, CALIBRATION_SEED)

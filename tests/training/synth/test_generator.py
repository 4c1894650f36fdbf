import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from sdk.charset import DEFAULT_CHARSET
from sdk.rectify.crop import CROP_HEIGHT
from training.cli.synth import main
from training.data.shards import list_shards, read_shard, write_shard
from training.synth import generator as generator_module
from training.synth.background import PhotoFolder, _rectangle, printed, sample_background
from training.synth.generator import Generator, SynthConfig, legible
from training.synth.legibility import likeness
from training.synth.scenes import SCENES


@pytest.fixture(scope="module")
def generator():
    return Generator(SynthConfig(seed=3))


def test_same_seed_and_index_give_the_same_pixels(generator):
    other = Generator(SynthConfig(seed=3))
    other.photo(5, (200, 160))  # the order of calls does not matter
    for index in (0, 7):
        one, two = generator.photo(index, (256, 192)), other.photo(index, (256, 192))
        assert np.array_equal(one.image, two.image)
        assert one.record() == two.record()
        image, text = generator.line(index)
        again, same = other.line(index)
        assert np.array_equal(image, again)
        assert text == same


def test_seeds_and_indices_differ(generator):
    first = generator.line(0)[0]
    assert not np.array_equal(first[:, :40], generator.line(1)[0][:, :40])
    other = Generator(SynthConfig(seed=4)).line(0)[0]
    assert not np.array_equal(first[:, :40], other[:, :40])


def test_photo_ground_truth(generator):
    seen = 0
    for index in range(12):
        photo = generator.photo(index, (320, 256))
        assert photo.image.shape == (256, 320, 3)
        assert photo.image.dtype == np.uint8
        for text in photo.texts:
            assert len(text.text) == len(text.chars)
            if text.ignore:
                continue
            seen += 1
            assert text.quad.min() > -32
            assert (text.quad.max(0) < (352, 288)).all()
            along = text.quad[1] - text.quad[0]
            down = text.quad[3] - text.quad[0]
            # clockwise on the screen: the cross product of "along" and "down" points into it
            assert along[0] * down[1] - along[1] * down[0] > 0
            centers = text.chars.mean(1)
            steps = (np.diff(centers, axis=0) @ along) / np.linalg.norm(along)
            assert (steps > 0).all(), "characters follow each other in reading direction"
    assert seen > 10


def test_legible_lines_change_the_pixels_under_them():
    # Without degradation a line's own box must hold more contrast than flat background has.
    generator = Generator(SynthConfig(seed=9, severity=0.0, scenes=("label",)))
    checked = 0
    for index in range(6):
        photo = generator.photo(index, (320, 320))
        gray = photo.image.mean(2)
        for text in photo.texts:
            if text.ignore:
                continue
            mask = np.zeros(gray.shape, np.uint8)
            cv2.fillConvexPoly(mask, np.round(text.quad).astype(np.int32), 1)
            values = gray[mask > 0]
            assert np.percentile(values, 98) - np.percentile(values, 2) > 14
            checked += 1
    assert checked


def _with_ink(background, ink):
    """Return a line image with vertical bars of ink on a background, and the quad around them."""
    image = background.copy()
    for x in range(20, 100, 10):
        image[8:24, x : x + 4] = np.clip(image[8:24, x : x + 4].astype(int) + ink, 0, 255)
    return image, np.array([[20, 8], [100, 8], [100, 24], [20, 24]], np.float32)


@pytest.mark.parametrize(("ink", "readable"), [(0, False), (8, False), (-60, True), (60, True)])
def test_invisible_text_is_illegible(ink, readable):
    flat = np.full((CROP_HEIGHT, 120, 3), 120, np.uint8)
    image, quad = _with_ink(flat, ink)
    assert legible(image, flat, quad) is readable


def test_text_lost_in_its_background_is_illegible():
    rough = np.random.default_rng(0).integers(0, 2, (4, 15, 1)).repeat(3, 2).astype(np.uint8) * 200
    rough = rough.repeat(8, 0).repeat(8, 1)
    image, quad = _with_ink(rough, 40)
    assert not legible(image, rough, quad)
    flat = np.full_like(rough, 100)
    image, quad = _with_ink(flat, 40)
    assert legible(image, flat, quad)


def test_scans_are_nearly_black_and_white():
    def share_of_extremes(scans):
        generator = Generator(SynthConfig(seed=5, scenes=("receipt",), scans=scans))
        gray = np.concatenate([generator.line(index)[0].mean(2).ravel() for index in range(40)])
        return float(((gray < 32) | (gray > 223)).mean())

    assert share_of_extremes(1.0) > share_of_extremes(0.0) + 0.15


def test_lines_with_a_character_unlike_its_ink_are_drawn_anew(generator, monkeypatch):
    before = [generator.line(index) for index in range(12)]
    seen = []

    def noted(*line):
        seen.append(likeness(*line))
        return seen[-1]

    monkeypatch.setattr(generator_module, "likeness", noted)
    strict = Generator(replace(generator.config, likeness=0.95))
    after = [strict.line(index) for index in range(12)]
    assert sum(value >= 0.95 for value in seen) == 12
    assert any(value < 0.95 for value in seen)
    kept = [np.array_equal(a, b) for (a, _), (b, _) in zip(before, after, strict=True)]
    assert 0 < sum(kept) < 12


def test_illegible_lines_are_drawn_anew(generator, monkeypatch):
    before = [generator.line(index) for index in range(8)]
    judged = []

    def stricter(image, without, quad):
        judged.append(legible(image, without, quad, least_signal=60.0))
        return judged[-1]

    monkeypatch.setattr(generator_module, "legible", stricter)
    after = [generator.line(index) for index in range(8)]
    assert judged.count(True) == 8
    assert judged.count(False) > 0
    kept = [np.array_equal(a, b) for (a, _), (b, _) in zip(before, after, strict=True)]
    assert any(kept)
    assert not all(kept)


@pytest.mark.parametrize("width", [1, 4, 8, 9])
def test_narrow_line_images_have_backgrounds(width):
    rng = np.random.default_rng(0)
    for height in (3, 3 * CROP_HEIGHT):
        image = np.zeros((height, width, 3), np.float32)
        for _ in range(20):
            _rectangle(rng, image)
            assert printed(rng, height, width).shape == image.shape
            background = sample_background(rng, height, width)
            assert background.shape == image.shape
            assert np.isfinite(background).all()
        assert image.any()


def test_small_text_is_ignored():
    generator = Generator(SynthConfig(seed=1, text_px=(4.0, 6.0), legible_px=7.0))
    texts = [t for index in range(4) for t in generator.photo(index, (256, 256)).texts]
    heights = [np.linalg.norm(t.quad[3] - t.quad[0]) for t in texts]
    assert texts
    assert all(t.ignore for t, height in zip(texts, heights, strict=True) if height < 6.5)


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_every_scene_makes_photos_and_lines(scene):
    generator = Generator(SynthConfig(seed=2, scenes=(scene,)))
    for index in range(4):
        image, text = generator.line(index)
        assert image.shape[0] == CROP_HEIGHT
        assert 4 <= image.shape[1] <= 1024
        assert text.strip()
        assert image.std() > 1
    assert any(generator.photo(index, (256, 256)).texts for index in range(4))


def test_unknown_scene_is_named():
    with pytest.raises(ValueError, match="holograms"):
        Generator(SynthConfig(scenes=("holograms",)))


def test_own_photos_become_backgrounds(tmp_path):
    red = np.zeros((80, 120, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "red.png"), red)
    (tmp_path / "notes.txt").write_text("no picture")
    crop = PhotoFolder(tmp_path)(np.random.default_rng(0), 50, 70)
    assert crop.shape == (50, 70, 3)
    assert crop[..., 0].min() > 250
    assert crop[..., 1:].max() < 5


def test_too_many_photos_are_a_sample_of_all_and_told(tmp_path, caplog):
    for number in range(40):
        gray = np.full((20, 30, 3), 6 * number, np.uint8)
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), gray)
    (tmp_path / "99.png").write_bytes(b"damaged")
    used = [int(photo[0, 0, 0]) for photo in PhotoFolder(tmp_path, most_bytes=20_000).photos]
    assert len(used) == 12  # 1,800 bytes each
    assert used == sorted(used)
    assert max(used) - min(used) > 100
    assert "12 of the 41 background photos" in caplog.text
    caplog.clear()
    assert len(PhotoFolder(tmp_path).photos) == 40
    assert "99.png" in caplog.text


def test_folder_without_photos_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(ValueError, match="No background photos"):
        Generator(SynthConfig(photos=str(tmp_path)))


def _synth(*arguments):
    command = [sys.executable, "-m", "training", "synth", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_command_writes_shards_and_goes_on(tmp_path):
    out = tmp_path / "shards"
    options = ("--out", out, "--count", 10, "--per-shard", 4, "--kind", "line", "--workers", 2)
    done = _synth(*options)
    assert done.returncode == 0, done.stderr
    shards = list_shards(out)
    assert [path.name for path in shards] == [f"shard-{n:05d}.tar" for n in range(3)]
    rows = [row["text"] for path in shards for _, row in read_shard(path)]
    assert len(rows) == 10
    before = shards[1].stat().st_mtime_ns
    middle = shards[0].read_bytes()
    shards[0].unlink()
    done = _synth(*options)
    assert done.returncode == 0, done.stderr
    assert "2 of 3 shards exist already" in done.stderr
    assert shards[1].stat().st_mtime_ns == before
    again = [row["text"] for _, row in read_shard(shards[0])]
    assert again == rows[:4]
    assert len(shards[0].read_bytes()) == len(middle)
    done = _synth(*options, "--count", 15)
    assert done.returncode == 0, done.stderr
    assert shards[1].stat().st_mtime_ns == before
    more = [row["text"] for path in list_shards(out) for _, row in read_shard(path)]
    assert len(more) == 15 and more[:10] == rows


def test_shards_of_other_settings_are_refused(tmp_path, capsys):
    path = tmp_path / "shard-00000.tar"
    options = ["--out", str(tmp_path), "--count", "1", "--kind", "line", "--workers", "1"]
    # an older folder does not say how it was made
    image = np.full((32, 40, 3), 200, np.uint8)
    write_shard(path, [(0, image, {"text": "A"})])
    assert main(options) == 0
    assert not (tmp_path / "synth.json").exists()
    path.unlink()
    assert main([*options, "--scenes", ",".join(SCENES)]) == 0
    before = path.read_bytes()
    assert main([*options, "--seed", "1", "--per-shard", "5"]) == 2
    message = capsys.readouterr().err
    assert "seed is 0 there, not 1" in message
    assert "per_shard is 100 there, not 5" in message
    assert path.read_bytes() == before


def test_the_earlier_name_of_line_images_is_accepted(tmp_path, capsys):
    options = ["--out", str(tmp_path), "--count", "1", "--workers", "1", "--kind"]
    assert main([*options, "line"]) == 0
    capsys.readouterr()
    settings = tmp_path / "synth.json"
    settings.write_text(settings.read_text().replace('"line"', '"strip"'))
    path = tmp_path / "shard-00000.tar"
    before = path.read_bytes()
    path.unlink()
    assert main([*options, "strip"]) == 0
    assert "--kind strip is deprecated: use --kind line" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_machines_share_the_work(tmp_path):
    for part in ("0/2", "1/2"):
        done = _synth(
            "--out", tmp_path, "--count", 6, "--per-shard", 2, "--shard", part, "--workers", 1,
            "--size", "128x96",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    indices = [row["image"] for path in list_shards(tmp_path) for _, row in read_shard(path)]
    assert indices == [f"{n:08d}.jpg" for n in range(6)]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--out", "x", "--size", "512"), "--size 512"),
        (("--out", "x", "--shard", "3/2"), "--shard 3/2"),
        (("--count", "5"), "--preview"),
        (("--out", "x", "--scenes", "holograms"), "holograms"),
    ],
)
def test_usage_errors(tmp_path, monkeypatch, capsys, options, word):
    monkeypatch.chdir(tmp_path)
    assert main([*options, "--workers", "1"]) == 2
    assert word in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.tar"))


@pytest.mark.parametrize("option", ["--count", "--per-shard", "--workers"])
def test_numbers_must_be_positive(tmp_path, capsys, option):
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), option, "-5"])
    assert "'-5' is not a whole number" in capsys.readouterr().err


def test_pages_fill_a_photo_with_small_print():
    pages = 0
    found = Generator(SynthConfig(seed=9, scenes=("receipt",)))
    for index in range(12):
        texts = [text for text in found.photo(index, (512, 512)).texts if not text.ignore]
        pages += len(texts) > 20
        assert all(-150 < c < 662 for text in texts for c in text.quad.flat)
    assert pages >= 3


def test_amounts_stand_flush_right_beside_rows(generator):
    seen = 0
    for index in range(60):
        rng = np.random.default_rng(index)
        lines = SCENES["receipt"][0](rng, generator.fonts, 20).lines
        boxes = np.array([line.box() for line in lines])
        indented = boxes[:, 0] > boxes[0, 0] + 2 * 20
        seen += indented.any()
        for x0, y0, x1, y1 in boxes[indented]:
            assert x1 == pytest.approx(boxes[indented, 2].max(), abs=0.01)
            beside = [row for row in boxes[~indented] if abs(row[1] + row[3] - y0 - y1) < 0.02]
            assert len(beside) == 1 and x0 - beside[0][2] > 2 * 20
            assert y0 < y1
    assert seen > 10


def test_signs_besides_ascii_stand_in_few_lines_and_letters_in_many():
    signs, letters = "€£°µ±²³", "äöüßÄÖÜ"
    for more, least, most in ((signs, 0.02, 0.2), (letters, 0.3, 0.7)):
        made = Generator(SynthConfig(seed=5, charset=DEFAULT_CHARSET.symbols + more))
        texts = [made.line(index)[1] for index in range(120)]
        assert least < np.mean([not set(more).isdisjoint(text) for text in texts]) < most

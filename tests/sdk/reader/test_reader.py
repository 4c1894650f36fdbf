"""The reader, end to end, with a real bundle in a script of its own (see `tests.tiny`)."""

from __future__ import annotations

import gc
import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from sdk.engine import open_engine
from sdk.errors import DeviceError, ImageError, ModelError, OptionError, SdkError
from sdk.geometry import box_quads, iou
from sdk.model.bundle import Bundle, write_manifest
from sdk.model.line_probability import LineProbability
from sdk.reader import Reader
from sdk.rectify.crop import expand_quad
from sdk.results import Reading, TextLine
from tests import tiny


@pytest.fixture(scope="module", params=["fp32", "int8"])
def reader(request: pytest.FixtureRequest, tiny_bundle: Path) -> Iterator[Reader]:
    with Reader(tiny_bundle, variant=request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def exact(tiny_bundle: Path) -> Iterator[Reader]:
    with Reader(tiny_bundle, variant="fp32") as opened:
        yield opened


def change_settings(
    folder: Path, settings: Mapping[str, Any] | None = None, roles: tuple[str, ...] = ()
) -> Path:
    """Write other decode settings, and keep some graphs only."""
    manifest = Bundle.open(folder).manifest
    variants = {
        variant: {role: g for role, g in graphs.items() if not roles or role in roles}
        for variant, graphs in manifest.variants.items()
    }
    decode = manifest.decode.changed(settings or {})
    write_manifest(folder, replace(manifest, variants=variants, decode=decode))
    return folder


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return box_quads((x + width / 2, y + height / 2), width, height, 0)


PHOTO = tiny.draw_photo([("ABCD", 8, 8), ("HAG", 13, 78)], (128, 128))
BOXES = [box(8, 8, 104, 32), box(13, 78, 80, 32)]


def without_timing(reading: Reading) -> dict[str, Any]:
    return {**reading.to_dict(), "timing": None}


def test_reads_lines_where_they_are(reader: Reader) -> None:
    reading = reader.read(PHOTO)
    assert reading.texts == ["ABCD", "HAG"]
    for line, expected in zip(reading, BOXES, strict=True):
        # cells that are red by half or less count as black: up to 2 px at each edge
        assert iou(line.quad, expected) > 0.8
        assert line.quad[0] == pytest.approx(expected[0], abs=3)
        assert line.angle_rad == pytest.approx(0, abs=0.03)
        assert 0.9 < line.confidence <= 1
        assert 0.9 < line.detection_confidence <= 1
    assert (reading.width, reading.height) == (128, 128)
    assert (reading.model, reading.device) == ("tiny 1", "cpu")
    timing = reading.timing
    stages = (timing.load_ms, timing.detect_ms, timing.recognize_ms)
    assert all(stage >= 0 for stage in stages)
    assert sum(stages) <= timing.total_ms


@pytest.mark.parametrize(
    "again",
    [{}, {"retry.photo.confidence": 1.0, "retry.flip.confidence": 1.0, "retry.vote.lead": 100.0}],
    ids=["first look", "more looks"],
)
def test_boxes_are_given_with_their_margin(own_bundle: Path, again: dict[str, Any]) -> None:
    readings = []
    for margin in (0.0, 0.25):
        with Reader(change_settings(own_bundle, {"detect.box_margin": margin, **again})) as opened:
            readings.append(opened.read(PHOTO))
    for tight, wide in zip(*readings, strict=True):
        assert wide.quad == pytest.approx(expand_quad(tight.quad, 0.25), abs=1e-3)
        assert replace(wide, quad=tight.quad) == tight


def test_characters_have_boxes_and_confidences(reader: Reader) -> None:
    line = reader.read(PHOTO)[0]
    assert isinstance(line, TextLine)
    assert [char.text for char in line.chars] == list("ABCD")
    assert line.confidence == pytest.approx(
        math.prod(char.confidence for char in line.chars) ** (1 / 4)
    )
    for i, char in enumerate(line.chars):
        assert char.quad is not None
        # each bar of 16 px has half of the 8 px on both sides
        assert iou(char.quad, box(8 + 4 + 24 * i, 8, 24, 32)) > 0.7


def test_a_line_is_as_probable_as_all_its_characters(reader: Reader) -> None:
    line = reader.read(PHOTO)[0]
    assert line.probability == pytest.approx(math.prod(c.confidence for c in line.chars))
    assert 0 < line.probability <= line.confidence


def test_a_calibrated_bundle_tells_the_probability_of_free_texts(own_bundle: Path) -> None:
    calibration = LineProbability(-2.0, 0.3)
    manifest = Bundle.open(own_bundle).manifest
    write_manifest(own_bundle, replace(manifest, line_probability=calibration))
    with Reader(own_bundle) as opened:
        free = [*opened.read(PHOTO), opened.read_line(PHOTO[8:40, 8:104])]
        kept = opened.read(PHOTO, pattern="[A-H]+")[0]
        missed = opened.read(PHOTO, pattern="H{9}")[0]
        nothing = opened.read_line(np.full((32, 64, 3), (255, 128, 128), np.uint8))
    for line in [*free, missed]:
        assert line.probability == calibration.of(line.confidence) != line.confidence
    product = math.prod(c.confidence for c in kept.chars)
    assert kept.pattern_ok and kept.probability == pytest.approx(product)
    assert missed.pattern_ok is False
    assert (nothing.text, nothing.probability) == ("", 0)


def test_readers_of_the_same_engines(exact: Reader, tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle, "fp32")
    engines = {role: open_engine(bundle.graph(role)) for role in bundle.roles}
    blind = bundle.manifest.decode.changed({"detect.min_height_px": 100.0})
    with Reader.of_parts(bundle, engines) as first:
        assert first.read(PHOTO).texts == exact.read(PHOTO).texts
        manifest = replace(bundle.manifest, decode=blind)
        second = Reader.of_parts(replace(bundle, manifest=manifest), engines)
        assert second.read(PHOTO).texts == []
        assert first.read(PHOTO).texts == exact.read(PHOTO).texts
    with pytest.raises(SdkError, match="closed"):
        engines["line"].run({"strip": np.zeros((1, 32, 64, 3), np.uint8)})


def test_results_are_plain_and_survive_json(reader: Reader) -> None:
    reading = reader.read(PHOTO)
    assert Reading.from_json(reading.to_json()) == reading


@pytest.mark.parametrize("size", [(40, 60), (128, 128), (500, 300), (1, 1), (20, 20_000)])
def test_no_text_is_an_empty_reading(reader: Reader, size: tuple[int, int]) -> None:
    reading = reader.read(np.zeros((*size, 3), np.uint8))
    assert (reading.texts, reading.height, reading.width) == ([], *size)


def test_sources_and_channel_orders(exact: Reader, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(PHOTO).save(path)
    expected = without_timing(exact.read(PHOTO))
    for source in (str(path), path, path.read_bytes(), Image.fromarray(PHOTO)):
        assert without_timing(exact.read(source)) == expected
    assert without_timing(exact.read(PHOTO[..., ::-1], channels="bgr")) == expected


def test_a_larger_photo_comes_back_in_its_own_pixels(exact: Reader) -> None:
    photo = cv2.resize(PHOTO, (384, 384), interpolation=cv2.INTER_NEAREST)
    reading = exact.read(photo)
    assert reading.texts == ["ABCD", "HAG"]
    for line, expected in zip(reading, BOXES, strict=True):
        assert iou(line.quad, 3 * expected) > 0.8


def test_small_text_in_a_large_photo_is_found_in_tiles(own_bundle: Path) -> None:
    lines = [("ABCDEF", 40, 40), ("GAGE", 300, 260), ("CAFE", 20, 420), ("HEAD", 210, 150)]
    photo = tiny.draw_photo(lines, (480, 480), height=24)
    with Reader(own_bundle) as tiling:
        reading = tiling.read(photo)
    assert reading.texts == ["ABCDEF", "HEAD", "GAGE", "CAFE"]
    for text, x, y in lines:
        line = next(line for line in reading if line.text == text)
        assert iou(line.quad, box(x, y, 8 + 24 * len(text), 24)) > 0.7
    # at the scale of the first look, a quarter, lines are 6 px high and bars one cell wide
    with Reader(change_settings(own_bundle, {"detect.tiles.most": 0})) as single:
        assert single.read(photo).texts != reading.texts


def test_a_line_across_tiles_is_whole(own_bundle: Path) -> None:
    text = "ABCDEFGHAB"
    photo = tiny.draw_photo(
        [(text, 90, 200), ("AC", 20, 40), ("CA", 400, 420)], (480, 480), height=24
    )
    with Reader(change_settings(own_bundle, {"recognize.line_widths": (128, 512)})) as tiling:
        reading = tiling.read(photo)
    assert reading.texts == ["AC", text, "CA"]
    assert iou(reading.lines[1].quad, box(90, 200, 248, 24)) > 0.7
    assert reading.lines[1].quad[0][0] == pytest.approx(90, abs=4)
    assert reading.lines[1].quad[1][0] == pytest.approx(338, abs=4)


def test_turned_pictures_of_a_line(reader: Reader) -> None:
    strip = tiny.draw_line("ABCH")
    height, width = strip.shape[:2]
    straight = reader.read_line(strip)
    assert straight.text == "ABCH"
    assert straight.quad == ((0, 0), (width, 0), (width, height), (0, height))
    assert straight.angle_rad == 0
    down = reader.read_line(np.rot90(strip, -1))
    # the script reads as well backwards, so that both ways of turning are equally confident
    assert down.text in ("ABCH", "HCBA")
    assert abs(down.angle_rad) == pytest.approx(math.pi / 2)
    start = {math.pi / 2: (height, 0), -math.pi / 2: (0, width)}
    expected = next(s for a, s in start.items() if abs(a - down.angle_rad) < 0.1)
    assert down.quad[0] == expected


@pytest.mark.parametrize(
    ("settings", "turned"),
    [
        ({"retry.flip.confidence": 0.9, "retry.flip.gain": 0.1}, True),
        ({"retry.flip.confidence": 0.9, "retry.flip.gain": 0.3}, False),
        ({"retry.flip.confidence": 0.5, "retry.flip.gain": 0.1}, False),
    ],
)
def test_a_line_that_reads_badly_is_tried_upside_down(
    own_bundle: Path, settings: dict[str, Any], turned: bool
) -> None:
    # bars one cell wide: as it stands some straddle two cells, turned they do not
    strip = tiny.draw_line("CAFE", bar=4, gap=5)
    height, width = strip.shape[:2]
    with Reader(change_settings(own_bundle, settings)) as opened:
        line = opened.read_line(strip)
    if turned:
        assert line.confidence > 0.95
        assert line.quad[0] == (width, height)
        assert line.angle_rad == pytest.approx(math.pi)
    else:
        assert line.text == "CAFE"
        assert line.confidence < 0.9
        assert line.quad[0] == (0, 0)


def test_a_loose_crop_is_read_where_its_line_stands(own_bundle: Path) -> None:
    line = tiny.draw_line("AC")
    height, width = line.shape[:2]
    # black rows above and below spoil the colors of a reading of the whole height
    crop = np.pad(line, ((4, 4), (0, 0), (0, 0)))
    with Reader(change_settings(own_bundle, {"retry.crop.confidence": 0.0})) as opened:
        whole = opened.read_line(crop)
    with Reader(change_settings(own_bundle, {"retry.crop.confidence": 0.999})) as opened:
        part = opened.read_line(crop)
    assert part.text == "AC"
    assert part.confidence > whole.confidence + 0.05
    assert whole.quad[0] == (0, 0)
    assert np.allclose(part.quad, [[0, 4], [width, 4], [width, height + 4], [0, height + 4]])


def test_lines_of_a_photo_are_tried_upside_down(own_bundle: Path) -> None:
    # confidences that the line graph never reaches, and no gain asked for: always the better one
    folder = change_settings(
        own_bundle,
        {
            "retry.photo.confidence": 1.0,
            "retry.flip.confidence": 1.0,
            "retry.flip.gain": 0.0,
            "recognize.crop_margin": 0.0,
        },
    )
    with Reader(folder) as flipping:
        best = flipping.read(PHOTO)
    for line, forward, expected in zip(best, ("ABCD", "HAG"), BOXES, strict=True):
        # the script reads as well backwards
        backwards = line.text != forward
        assert line.text in (forward, forward[::-1])
        assert abs(line.angle_rad) == pytest.approx(math.pi * backwards, abs=0.05)
        assert line.quad[0] == pytest.approx(expected[2 if backwards else 0], abs=3)


def test_without_recognizer_lines_are_read_from_pixels(own_bundle: Path) -> None:
    with Reader(change_settings(own_bundle, roles=("detector", "line"))) as opened:
        reading = opened.read(PHOTO)
        assert reading.texts == ["ABCD", "HAG"]
        assert "recognizer" not in opened.describe()["graphs"]


@pytest.mark.parametrize("height,looks", [(0.0, 2), (1000.0, 0)])
def test_small_lines_cost_no_look_at_the_features(
    own_bundle: Path, monkeypatch: pytest.MonkeyPatch, height: float, looks: int
) -> None:
    bundle = Bundle.open(change_settings(own_bundle, {"recognize.features_min_height_px": height}))
    engines = {role: open_engine(bundle.graph(role)) for role in bundle.roles}
    seen: list[Any] = []
    run = engines["recognizer"].run
    monkeypatch.setattr(engines["recognizer"], "run", lambda x: seen.append(x) or run(x))
    with Reader.of_parts(bundle, engines) as opened:
        assert opened.read(PHOTO).texts == ["ABCD", "HAG"]
    assert len(seen) == looks


def test_recheck_reads_from_pixels_what_features_blur(own_bundle: Path) -> None:
    # at half scale bars of 8 px are two cells wide: less sure than from the picture itself
    photo = tiny.draw_photo([("ABCDEFGH", 20, 40)], (256, 256), bar=8)
    with Reader(
        change_settings(own_bundle, {"detect.tiles.most": 0, "retry.photo.confidence": 0.0})
    ) as once:
        first = once.read(photo)[0]
    with Reader(
        change_settings(own_bundle, {"detect.tiles.most": 0, "retry.photo.confidence": 1.0})
    ) as twice:
        second = twice.read(photo)[0]
    assert isinstance(first, TextLine) and isinstance(second, TextLine)
    assert second.text == "ABCDEFGH"
    assert second.confidence >= first.confidence


def test_a_bundle_for_lines_only(own_bundle: Path) -> None:
    with Reader(change_settings(own_bundle, roles=("line",))) as opened:
        assert opened.read_line(tiny.draw_line("FACE")).text == "FACE"
        assert opened.describe()["frame"] is None
        opened.warm_up()
        with pytest.raises(ModelError, match="has no detector: it reads single lines only"):
            opened.read(PHOTO)


def test_allowed_characters(reader: Reader) -> None:
    assert reader.read(PHOTO, charset="ABCD").texts[0] == "ABCD"
    limited = reader.read_line(tiny.draw_line("ABCD"), charset="AC").text
    assert set(limited) <= {"A", "C"}
    assert limited.startswith("A")


@pytest.mark.parametrize("beam", [-1, 257, 10**9, 2.0])
def test_beams_are_bounded(reader: Reader, beam: Any) -> None:
    with pytest.raises(OptionError, match=f"beam is {beam}.*at most 256"):
        reader.read(PHOTO, beam=beam)


def test_beam_search_reads_the_same_where_all_is_clear(reader: Reader) -> None:
    assert reader.read(PHOTO, beam=4).texts == reader.read(PHOTO).texts
    assert reader.read_line(tiny.draw_line("FEED"), beam=4).text == "FEED"


def test_the_model_has_a_least_confidence_of_its_own(own_bundle: Path) -> None:
    with Reader(own_bundle) as opened:
        confidences = sorted(line.confidence for line in opened.read(PHOTO))
    bound = sum(confidences) / 2
    with Reader(change_settings(own_bundle, {"recognize.min_confidence": bound})) as opened:
        assert [line.confidence for line in opened.read(PHOTO)] == confidences[1:]
        assert len(opened.read(PHOTO, min_confidence=0.0)) == len(confidences)


def test_least_confidence_and_most_lines(exact: Reader) -> None:
    confidences = [line.confidence for line in exact.read(PHOTO)]
    kept = exact.read(PHOTO, min_confidence=max(confidences))
    assert [line.confidence for line in kept] == [c for c in confidences if c == max(confidences)]
    assert len(exact.read(PHOTO, max_lines=1)) == 1
    assert len(exact.read(PHOTO, max_lines=0)) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"min_confidence": 1.5},
        {"min_confidence": "high"},
        {"charset": ""},
        {"charset": "AÄ"},
        {"charset": 7},
        {"beam": -1},
        {"beam": 2.0},
        {"max_lines": -1},
        {"channels": "hsv"},
    ],
)
def test_wrong_options_are_named(exact: Reader, options: dict[str, Any]) -> None:
    ((name, value),) = options.items()
    with pytest.raises(OptionError, match=name) as caught:
        exact.read(PHOTO, **options)
    assert str(value) in str(caught.value)


def test_bad_pictures(exact: Reader, tmp_path: Path) -> None:
    for bad in (tmp_path / "none.png", b"no picture", np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(ImageError):
            exact.read(bad)
        with pytest.raises(ImageError):
            exact.read_line(bad)


@pytest.mark.parametrize(
    "size", [(1, 1), (20, 20_000), (20_000, 20), (3, 1), (32, 1), (1, 100_000), (32_767, 40)]
)
def test_odd_strips(exact: Reader, size: tuple[int, int]) -> None:
    line = exact.read_line(np.zeros((*size, 3), np.uint8))
    assert 0 <= line.confidence <= 1
    assert np.max(line.quad, axis=0).tolist() == pytest.approx([size[1], size[0]])


def test_batch(exact: Reader) -> None:
    pictures = (p for p in (PHOTO, np.zeros((64, 64, 3), np.uint8), PHOTO[:64]))
    assert [r.texts for r in exact.read_batch(pictures, charset="ABCDHG")] == [
        ["ABCD", "HAG"],
        [],
        ["ABCD"],
    ]


@pytest.mark.parametrize("single", ["photo.jpg", Path("photo.jpg"), b"bytes", PHOTO])
def test_a_single_picture_is_no_batch(exact: Reader, single: Any) -> None:
    with pytest.raises(OptionError, match="several pictures"):
        next(exact.read_batch(single))


def test_a_batch_reads_no_further_than_asked(exact: Reader) -> None:
    def camera() -> Iterator[Any]:
        yield PHOTO
        yield PHOTO[:64]
        yield np.zeros((0, 0, 3), np.uint8)

    readings = exact.read_batch(camera())
    assert next(readings).texts == ["ABCD", "HAG"]
    assert next(readings).texts == ["ABCD"]
    with pytest.raises(ImageError):
        next(readings)


def test_threads_get_equal_results(reader: Reader) -> None:
    photos = [
        tiny.draw_photo([(text, 8, 10 + 6 * i)], (128, 128 + 16 * i))
        for i, text in enumerate(["AB", "CAFE", "HEAD", "BEEF", "GA", "FACE", "ABCD", "DEED"])
    ]
    expected = [without_timing(reader.read(photo)) for photo in photos]
    found: list[list[dict[str, Any]]] = [[] for _ in photos]

    def work(i: int) -> None:
        for k in range(8):
            found[i].append(without_timing(reader.read(photos[(i + k) % 8])))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [[expected[(i + k) % 8] for k in range(8)] for i in range(8)]


def test_closing(tiny_bundle: Path) -> None:
    with Reader(tiny_bundle) as opened:
        opened.warm_up()
    opened.close()
    for call in (lambda: opened.read(PHOTO), lambda: opened.read_line(PHOTO), opened.warm_up):
        with pytest.raises(SdkError, match=r"closed\. Open a new reader"):
            call()


def test_description(tiny_bundle: Path) -> None:
    with Reader(tiny_bundle, threads=1, variant="int8") as opened:
        described = opened.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["model"] == "tiny"
    assert described["variant"] == "int8"
    assert described["variants"] == ["fp32", "int8"]
    assert described["frame"] == [128, 128]
    assert described["threads"] == 1
    assert set(described["graphs"]) == {"detector", "recognizer", "line"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"device": "gpu"}, DeviceError),
        ({"device": "toaster"}, OptionError),
        ({"threads": 0}, OptionError),
        ({"variant": "int4"}, ModelError),
    ],
)
def test_wrong_arguments(
    tiny_bundle: Path, arguments: dict[str, Any], error: type[Exception]
) -> None:
    before = cv2.getNumThreads()
    with pytest.raises(error):
        Reader(tiny_bundle, **arguments)
    assert cv2.getNumThreads() == before


MEMORY = """
import gc, sys
import numpy as np
from sdk.reader import Reader
from tests import tiny

def rss():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

rng = np.random.default_rng(0)
with Reader(sys.argv[1], threads=1) as reader:
    def read(count):
        for i in range(count):
            x, y = (int(v) for v in rng.integers(0, 60, 2))
            size = (int(rng.integers(130, 300)), int(rng.integers(180, 400)))
            text = "".join(rng.choice(list("ABCDEFGH"), int(rng.integers(1, 5))))
            assert len(reader.read(tiny.draw_photo([(text, x, y)], size))) >= 1
    read(100)
    before = rss()
    read(500)
    print((rss() - before) / 2**20)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_500_reads_take_no_more_memory(tiny_bundle: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tiny_bundle)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 5


def test_readers_can_come_and_go(tiny_bundle: Path) -> None:
    for _ in range(5):
        with Reader(tiny_bundle, threads=1) as opened:
            assert opened.read(PHOTO).texts == ["ABCD", "HAG"]
        del opened
        gc.collect()

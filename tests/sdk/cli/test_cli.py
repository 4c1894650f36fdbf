"""The command line with a real bundle: what it prints, writes, refuses and returns."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from sdk import Reader, __version__
from sdk.cli import main
from sdk.formats import TSV_COLUMNS, get_format
from sdk.results import Reading
from sdk.selftest import SAMPLE_TEXTS
from tests import tiny

Capture = pytest.CaptureFixture[str]


def photo() -> npt.NDArray[np.uint8]:
    """A photo in the tiny bundle's script that says HEAD, and below it, paler, CAFE."""
    pixels = np.asarray(tiny.draw_photo([("HEAD", 8, 12), ("CAFE", 8, 76)], (128, 128)))
    pixels[70:, :, 1:] = 0.7 * pixels[70:, :, 1:] + 0.3 * 127.5 * (pixels[70:, :, :1] > 0)
    return pixels


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with the photo, a damaged one, and one stored on its side."""
    folder = tmp_path / "photos"
    folder.mkdir()
    upright = Image.fromarray(photo()[:110])
    upright.save(folder / "a.png")
    upright.save(folder / "b.jpg")
    (folder / "b.jpg").write_bytes((folder / "b.jpg").read_bytes()[:900])
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "c.png", exif=exif)
    return folder


@pytest.fixture
def expected(tiny_bundle: Path, photos: Path) -> dict[str, Reading]:
    """What the reader itself says, by file name."""
    with Reader(tiny_bundle, threads=1) as reader:
        readings = {name: reader.read(photos / name) for name in ("a.png", "c.png")}
    assert [reading.texts for reading in readings.values()] == [["HEAD", "CAFE"]] * 2
    return readings


def run(bundle: Path, *arguments: str | Path) -> int:
    command, *rest = map(str, arguments)
    return main([command, *rest, "--model", str(bundle), "--threads", "1"])


def same(ours: Reading, theirs: Reading) -> bool:
    """Whether two readings say the same, however long they took."""
    return (ours.lines, ours.width, ours.height) == (theirs.lines, theirs.width, theirs.height)


# read ---------------------------------------------------------------------------------------------


def test_text_of_one_picture(tiny_bundle: Path, photos: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "read", photos / "a.png") == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("HEAD\nCAFE\n", "")


def test_lines_that_match(tiny_bundle: Path, photos: Path, capsys: Capture) -> None:
    picture = photos / "a.png"
    assert run(tiny_bundle, "read", picture, "--pattern", "CA.E", "--matching") == 0
    assert capsys.readouterr().out == "CAFE\n"
    either = ("--template", "HE\\AD", "--pattern", "CA.E")
    assert run(tiny_bundle, "read", picture, *either, "--json") == 0
    lines = json.loads(capsys.readouterr().out)["reading"]["lines"]
    assert [(line["text"], line["raw_text"]) for line in lines] == [("HEAD",) * 2, ("CAFE",) * 2]
    assert [line["pattern_ok"] for line in lines] == [True, True]
    assert run(tiny_bundle, "read", picture, "--line", "--pattern", "H{9}", "--matching") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("pattern", ["(?=A)", "[0-9]+", "A{9"])
def test_a_bad_pattern_is_wrong_usage(
    pattern: str, tiny_bundle: Path, photos: Path, capsys: Capture
) -> None:
    assert run(tiny_bundle, "read", photos / "a.png", "--pattern", pattern) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("fots-lite: error: pattern is ")


def test_one_damaged_picture_does_not_stop_the_others(
    tiny_bundle: Path, photos: Path, expected: dict[str, Reading], capsys: Capture
) -> None:
    missing = photos / "no.png"
    assert run(tiny_bundle, "read", "--json", photos, missing) == 1
    captured = capsys.readouterr()
    rows = [json.loads(row) for row in captured.out.splitlines()]
    assert [row["image"] for row in rows] == [str(photos / "a.png"), str(photos / "c.png")]
    for row in rows:
        assert same(Reading.from_dict(row["reading"]), expected[Path(row["image"]).name])
    errors = captured.err.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith(f"fots-lite: error: Cannot decode {photos / 'b.jpg'}: the file is")
    assert errors[1].startswith(f"fots-lite: error: Cannot open {missing}: there is no such file")


def test_texts_of_several_pictures_say_whose_they_are(
    tiny_bundle: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(photos)
    assert run(tiny_bundle, "read", "a.png", "c.png") == 0
    out = capsys.readouterr().out
    assert out == "==> a.png <==\nHEAD\nCAFE\n\n==> c.png <==\nHEAD\nCAFE\n"


def test_tsv_and_hocr_go_to_a_file(
    tiny_bundle: Path, photos: Path, expected: dict[str, Reading], tmp_path: Path, capsys: Capture
) -> None:
    picture = photos / "a.png"
    for name in ("tsv", "hocr"):
        out = tmp_path / f"out.{name}"
        assert run(tiny_bundle, "read", picture, f"--{name}", "--output", out) == 0
        assert out.read_text() == get_format(name).write([(str(picture), expected["a.png"])])
    assert (tmp_path / "out.tsv").read_text().startswith("\t".join(TSV_COLUMNS))
    ET.parse(tmp_path / "out.hocr")
    assert capsys.readouterr().out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.hocr", "out.tsv", "photos"]


def test_failed_output_leaves_the_old_file(
    tiny_bundle: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "out.json"
    out.write_text("old")
    assert run(tiny_bundle, "read", photos / "a.png", "--output", out, "--device", "edgetpu") == 3
    assert out.read_text() == "old"
    assert "fots-lite: error: " in capsys.readouterr().err


def test_standard_input(
    tiny_bundle: Path,
    photos: Path,
    expected: dict[str, Reading],
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.TextIOWrapper(io.BytesIO((photos / "a.png").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert run(tiny_bundle, "read", "-", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["image"] == "stdin"
    assert same(Reading.from_dict(row["reading"]), expected["a.png"])


def test_empty_standard_input(
    tiny_bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert run(tiny_bundle, "read", "-") == 1
    assert "it is empty (0 bytes)" in capsys.readouterr().err


def test_drawings(
    tiny_bundle: Path, photos: Path, expected: dict[str, Reading], tmp_path: Path, capsys: Capture
) -> None:
    one = tmp_path / "one.png"
    assert run(tiny_bundle, "read", photos / "a.png", "--draw", one) == 0
    drawn = np.asarray(expected["a.png"].draw(photos / "a.png"))
    np.testing.assert_array_equal(np.asarray(Image.open(one)), drawn)
    folder = tmp_path / "drawn"
    assert run(tiny_bundle, "read", photos, "--draw", folder) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "c.png"]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_min_confidence_drops_the_pale_line(
    tiny_bundle: Path, photos: Path, expected: dict[str, Reading], capsys: Capture
) -> None:
    clear, pale = (line.confidence for line in expected["a.png"])
    options = ("--min-confidence", repr((clear + pale) / 2))
    assert run(tiny_bundle, "read", photos / "a.png", *options) == 0
    assert capsys.readouterr().out == "HEAD\n"


def test_charset_restricts_what_is_read(tiny_bundle: Path, photos: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "read", photos / "a.png", "--charset", "ACEFH") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert second == "CAFE"
    assert set(first) <= set("ACEFH")
    assert first != "HEAD"


def test_character_the_model_lacks_is_wrong_usage(
    tiny_bundle: Path, photos: Path, capsys: Capture
) -> None:
    assert run(tiny_bundle, "read", photos / "a.png", "--charset", "12\u6f22") == 2
    assert "\u6f22" in capsys.readouterr().err


def test_line_reads_the_whole_picture_as_one_line(
    tiny_bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    strip = np.asarray(tiny.draw_line("BADGE"))
    Image.fromarray(strip).save(tmp_path / "strip.png")
    with Reader(tiny_bundle, threads=1) as reader:
        line = reader.read_line(strip)
    assert run(tiny_bundle, "read", tmp_path / "strip.png", "--line", "--json") == 0
    reading = Reading.from_dict(json.loads(capsys.readouterr().out)["reading"])
    assert reading.texts == ["BADGE"]
    assert reading.lines == (line,)
    assert (reading.width, reading.height) == (strip.shape[1], 32)
    assert (reading.model, reading.device) == ("tiny 1", "cpu")


def test_line_without_text_is_an_empty_reading(
    tiny_bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    Image.fromarray(np.full((32, 128, 3), 127, np.uint8)).save(tmp_path / "gray.png")
    assert run(tiny_bundle, "read", tmp_path / "gray.png", "--line") == 0
    assert capsys.readouterr().out == ""


def test_standard_error_is_empty_unless_something_is_to_be_said(
    tiny_bundle: Path, photos: Path
) -> None:
    command = [sys.executable, "-m", "sdk", "read", str(photos / "a.png")]
    command += ["--model", str(tiny_bundle)]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (quiet.stdout, quiet.stderr) == ("HEAD\nCAFE\n", "")
    # What the interpreter's own code says, which no Python logger sees.
    loud = subprocess.run([*command, "-v"], capture_output=True, text=True, check=True)
    assert loud.stdout == quiet.stdout
    assert all(line.startswith("fots-lite: debug: ") for line in loud.stderr.splitlines())


# Model and device ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["read", "a.png"], ["bench"], ["check"]])
def test_model_that_is_not_there(
    command: list[str], photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(photos)
    assert main([*command, "--model", "no-such-bundle"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("fots-lite: error: ")
    assert "no-such-bundle" in captured.err


def test_device_that_is_not_there(tiny_bundle: Path, photos: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "read", photos / "a.png", "--device", "edgetpu") == 3
    assert "is not compiled for the Edge TPU" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["read", "a.png"], ["bench"], ["info"], ["check"]])
def test_device_that_does_not_exist(
    command: list[str],
    tiny_bundle: Path,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(photos)
    assert run(tiny_bundle, *command, "--device", "npu") == 2
    assert "device is 'npu'. Give one of auto, cpu" in capsys.readouterr().err


# bench, info, check -------------------------------------------------------------------------------


def test_bench_measures_every_variant(tiny_bundle: Path, photos: Path, capsys: Capture) -> None:
    options = ("--runs", "2", "--device", "cpu")
    assert run(tiny_bundle, "bench", photos / "a.png", "--json", *options) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["width"], result["height"], result["runs"]) == (128, 110, 2)
    assert result["unusable"] == {}
    assert [one["variant"] for one in result["results"]] == ["fp32", "int8"]
    for one in result["results"]:
        assert (one["lines"], one["model"], one["device"]) == (2, "tiny 1", "cpu")
        stages = one["stages"]
        assert set(stages) == {"load_ms", "detect_ms", "recognize_ms", "total_ms"}
        for stage in stages.values():
            assert 0 <= stage["median_ms"] <= stage["p90_ms"] <= stages["total_ms"]["p90_ms"]
        assert stages["total_ms"]["median_ms"] > 0
        assert one["open_ms"] > 0
        assert one["first_ms"] > 0
        assert 20 < one["peak_rss_mib"] < 500


def test_bench_draws_its_own_picture_and_prints_a_table(tiny_bundle: Path, capsys: Capture) -> None:
    options = ("--runs", "1", "--device", "cpu", "--variant", "int8")
    assert run(tiny_bundle, "bench", *options) == 0
    out = capsys.readouterr().out
    assert "drawn sample, 640 x 480" in out
    assert "cpu int8: tiny 1" in out
    for word in ("open", "first", "median", "p90", "detect", "recognize", "total", "peak memory"):
        assert word in out


def test_bench_of_what_cannot_be_measured(tiny_bundle: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "bench", "--device", "edgetpu") == 3
    assert "has no variant for this device" in capsys.readouterr().err
    assert run(tiny_bundle, "bench", "--variant", "fp16") == 3
    assert "has no variant 'fp16'" in capsys.readouterr().err
    assert run(tiny_bundle, "bench", "--runs", "1", "--device", "gpu:/no/such.so") == 3
    assert "There is no GPU delegate /no/such.so" in capsys.readouterr().err


def test_bench_of_a_picture_that_is_not_there(tiny_bundle: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "bench", "no.jpg") == 1
    assert "there is no such file" in capsys.readouterr().err


def test_info(tiny_bundle: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "info", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    manifest = json.loads((tiny_bundle / "model.json").read_text())
    assert result["fots_lite"] == __version__
    assert result["model"]["name"] == manifest["name"]
    for variant, graphs in manifest["variants"].items():
        sizes = {
            role: (tiny_bundle / graph["file"]).stat().st_size for role, graph in graphs.items()
        }
        assert result["model"]["variants"][variant] == sizes
    devices = result["devices"]
    assert list(devices) == ["cpu", "gpu", "edgetpu", "auto"]
    for name in ("cpu", "auto"):
        about = devices[name]
        assert (about["usable"], about["device"], about["threads"]) == (True, "cpu", 1)
        assert (about["variant"], about["interpreter"]) == ("fp32", result["interpreter"]["name"])
    assert devices["edgetpu"]["usable"] is False
    assert "not compiled for the Edge TPU" in devices["edgetpu"]["reason"]
    assert result["packages"]["numpy"] == np.__version__
    assert result["interpreter"]["usable"]


def test_info_as_a_table(tiny_bundle: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "info") == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["fots-lite", __version__]
    assert any(row.startswith("device cpu") and row.endswith(", 1 thread") for row in rows)
    assert any(row.startswith("device edgetpu") and "no: " in row for row in rows)


def test_info_without_a_model_still_shows_the_rest(capsys: Capture) -> None:
    assert main(["info", "--model", "no-such-bundle"]) == 3
    out = capsys.readouterr().out
    assert "no-such-bundle" in out
    assert f"numpy  {'':<17}{np.__version__}".split() == out[out.index("numpy") :].split()[:2]


def test_info_for_a_device_that_cannot_be_used(tiny_bundle: Path) -> None:
    assert run(tiny_bundle, "info", "--device", "edgetpu") == 3


def test_variant_is_chosen_and_must_exist(tiny_bundle: Path, photos: Path, capsys: Capture) -> None:
    assert run(tiny_bundle, "read", photos / "a.png", "--variant", "int8") == 0
    assert capsys.readouterr().out.startswith("HEAD\n")
    assert run(tiny_bundle, "read", photos / "a.png", "--variant", "fp16") == 3
    assert "has no variant 'fp16'. Use one of fp32, int8" in capsys.readouterr().err


def test_check_of_a_model_that_cannot_read(tiny_bundle: Path, capsys: Capture) -> None:
    # The tiny bundle is made in seconds; it opens and runs, but reads nothing rightly.
    assert run(tiny_bundle, "check") == 1
    out = capsys.readouterr().out
    assert all(text in out for text in SAMPLE_TEXTS)
    assert "DIFFERS" in out
    assert "reads wrong text" in out


# Pipes --------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="needs pipes as on Unix")
def test_reader_of_the_output_may_go_away(tiny_bundle: Path, photos: Path) -> None:
    command = [sys.executable, "-m", "sdk", "read", "--json", "--model", str(tiny_bundle)]
    receiving, sending = os.pipe()
    os.close(receiving)
    try:
        done = subprocess.run(
            [*command, str(photos / "a.png")],
            stdout=sending,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(sending)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_standard_output_on_a_full_disk(tiny_bundle: Path, photos: Path) -> None:
    command = [sys.executable, "-m", "sdk", "read", "--json", "--model", str(tiny_bundle)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*command, str(photos / "a.png")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "fots-lite: error: Cannot write the output: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr


def test_predict_prints_the_readings_and_draws_them(
    tiny_bundle: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    drawing = tmp_path / "lattice.png"
    arguments = (photos / "a.png", "--draw", drawing, "--count", "3")
    assert run(tiny_bundle, "predict", *arguments) == 0
    out = capsys.readouterr().out.splitlines()
    heads = [line for line in out if not line.startswith("  ")]
    assert [line.split()[0] for line in heads] == ["HEAD", "CAFE"]
    assert out[1].split()[1] == "HEAD"
    assert 0.5 < float(out[1].split()[0]) <= 1
    with Image.open(drawing) as picture:
        assert picture.width > 300
    assert run(tiny_bundle, "predict", photos / "a.png", "--json") == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert [first["guesses"][0]["text"], second["text"]] == ["HEAD", "CAFE"]
    assert len(first["best_path"]) == first["columns"] == len(first["probabilities"])


def test_predict_refuses_what_it_cannot_show(
    tiny_bundle: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    blank = tmp_path / "blank.png"
    Image.new("RGB", (64, 64)).save(blank)
    assert run(tiny_bundle, "predict", blank) == 1
    assert "shows no text" in capsys.readouterr().err
    assert run(tiny_bundle, "predict", photos) == 2
    assert "Give one picture" in capsys.readouterr().err
    assert run(tiny_bundle, "predict", photos / "a.png", "--draw", tmp_path / "a.txt") == 2
    assert not (tmp_path / "a.txt").exists()

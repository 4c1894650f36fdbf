"""The command line before anything is read: help, versions, wrong usage, the log."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from sdk import __version__
from sdk.cli import check, main
from sdk.cli.log import log_to_stderr
from sdk.cli.measure import Spread, percentile, summarize
from sdk.engine.interpreter import find_interpreter
from sdk.machine import peak_rss_mib
from sdk.model.bundle import DEFAULT_BUNDLE
from sdk.results import Timing
from sdk.selftest import SAMPLE_TEXTS, draw_sample


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["write"], "invalid choice: 'write'"),
        (["read"], "required: FILE"),
        (["read", "a.jpg", "--json", "--tsv"], "not allowed with argument"),
        (["read", "a.jpg", "--min-confidence", "90"], "'90' is not a number from 0 to 1"),
        (["read", "a.jpg", "--min-confidence", "nan"], "'nan' is not a number from 0 to 1"),
        (["read", "a.jpg", "--min-confidence", "high"], "'high' is not a number from 0 to 1"),
        (["read", "a.jpg", "--threads", "0"], "'0' is not a whole number of at least 1"),
        (["read", "a.jpg", "--threads", "-2"], "--threads"),
        (["read", "a.jpg", "--charset", ""], "give at least one character"),
        (["read", "a.jpg", "--template", "?9"], "must follow a place"),
        (["read", "a.jpg", "--matching"], "Give --pattern or --template"),
        (["bench", "--runs", "1.5"], "'1.5' is not a whole number of at least 1"),
        (["read", "-", "-"], "Standard input (-) is given twice"),
        (["read", "a.jpg", "--output", "no/such/out.txt"], "there is no folder no/such"),
        (["read", "a.jpg", "--draw", "out.txt"], "its suffix is '.txt'"),
    ],
)
def test_wrong_usage(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    model = json.loads((DEFAULT_BUNDLE / "model.json").read_text(encoding="utf-8"))
    assert capsys.readouterr().out.splitlines() == [
        f"fots-lite {__version__}",
        f"model {model['name']} {model['version']}",
        f"interpreter {find_interpreter().name}",
    ]
    assert main(["--help"]) == 0
    for command in ("read", "bench", "info", "check"):
        assert main([command, "--help"]) == 0
        assert f"usage: fots-lite {command}" in capsys.readouterr().out


def test_module_is_the_command() -> None:
    command = [sys.executable, "-m", "sdk", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"fots-lite {__version__}\nmodel ")


def test_version_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sdk.model.bundle.DEFAULT_BUNDLE", tmp_path / "nowhere")
    assert main(["--version"]) == 0
    package, model, _ = capsys.readouterr().out.splitlines()
    assert package == f"fots-lite {__version__}"
    assert model.startswith("model missing: ") and "nowhere" in model


@pytest.mark.parametrize(
    ("quiet", "verbose", "shown"),
    [
        (False, False, ["warning: w", "error: e"]),
        (False, True, ["debug: d", "info: i", "warning: w", "error: e"]),
        (True, False, ["error: e"]),
        (True, True, ["error: e"]),
    ],
)
def test_log_is_one_line_per_message_on_standard_error(
    quiet: bool, verbose: bool, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("sdk")
    handlers, level = list(logger.handlers), logger.level
    with log_to_stderr(quiet=quiet, verbose=verbose):
        logger.debug("d")
        logger.info("i")
        logger.warning("w")
        logger.error("e%s", "\n  on two\x1b[2J lines")
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [f"fots-lite: {text}" for text in shown]
    lines[-1] += " on two\ufffd[2J lines"
    assert captured.err.splitlines() == lines
    assert (logger.handlers, logger.level) == (handlers, level)


def test_log_lines_are_of_bounded_length(capsys: pytest.CaptureFixture[str]) -> None:
    with log_to_stderr(quiet=False, verbose=False):
        logging.getLogger("sdk").error("%s", "x" * 100_000)
    [line] = capsys.readouterr().err.splitlines()
    assert len(line) < 2100 and line.endswith("x ...")


# Bench --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.9, 7.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([0.0, 10.0], 0.9, 9.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 1.0, 5.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.0, 1.0),
        ([float(value) for value in range(11)], 0.9, 9.0),
    ],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == pytest.approx(expected)


def test_summary_has_median_and_percentile_of_each_stage() -> None:
    timings = [Timing(1, 10 * at, 0, 15 * at) for at in (3, 1, 2)]
    assert summarize(timings) == {
        "load_ms": Spread(1, 1),
        "detect_ms": Spread(20, 28),
        "recognize_ms": Spread(0, 0),
        "total_ms": Spread(30, 42),
    }


@pytest.mark.skipif(sys.platform == "win32", reason="not known there")
def test_peak_memory_is_in_mebibytes() -> None:
    before = peak_rss_mib()
    block = bytearray(b"x" * (before_bytes := 300 * 2**20))
    after = peak_rss_mib()
    assert before is not None
    assert after is not None
    assert len(block) == before_bytes
    # A Python with NumPy holds tens of MiB, so wrong units would be far off.
    assert 20 < before < 20_000
    assert after >= 300


# Check --------------------------------------------------------------------------------------------


def test_sample_holds_its_lines_apart() -> None:
    picture = draw_sample()
    assert (picture.dtype.name, picture.shape) == ("uint8", (480, 640, 3))
    ink = (picture.min(axis=2) < 128).any(axis=1).astype(int)
    starts = (ink[1:] > ink[:-1]).sum()
    assert starts == len(SAMPLE_TEXTS)
    assert (picture[:, :20] > 200).all()
    assert (picture[:, -20:] > 200).all()


@pytest.mark.parametrize(
    ("found", "pairs"),
    [
        (["a", "b", "c"], [("a", "a"), ("b", "b"), ("c", "c")]),
        ([], [("a", None), ("b", None), ("c", None)]),
        (["a", "x", "c"], [("a", "a"), ("b", "x"), ("c", "c")]),
        (["b", "c"], [("a", None), ("b", "b"), ("c", "c")]),
        (["a", "c"], [("a", "a"), ("b", None), ("c", "c")]),
        (["a", "b", "c", "d"], [("a", "a"), ("b", "b"), ("c", "c"), (None, "d")]),
        (["z", "a", "b", "c"], [(None, "z"), ("a", "a"), ("b", "b"), ("c", "c")]),
        (["c", "b", "a"], [(None, "c"), (None, "b"), ("a", "a"), ("b", None), ("c", None)]),
    ],
)
def test_expected_lines_are_paired_with_those_read(
    found: list[str], pairs: list[tuple[str | None, str | None]]
) -> None:
    # Anything but the three lines in order must show at least one difference.
    assert check.compare(["a", "b", "c"], found) == pairs
    assert (found == ["a", "b", "c"]) == all(a == b for a, b in pairs)


@pytest.mark.skipif(sys.platform == "win32", reason="file descriptors as on Unix")
def test_notes_of_native_code_are_details_and_nothing_else_is_lost() -> None:
    code = (
        "import os, sys\n"
        "from sdk.cli.log import log_to_stderr, logger\n"
        "from sdk.native_notes import captured_notes, native_notes_to_log\n"
        "with log_to_stderr(quiet=False, verbose='-v' in sys.argv), native_notes_to_log():\n"
        "    try:\n"
        "        with captured_notes(of_accelerator=True):\n"
        "            os.write(1, b'INFO: Created a delegate\\n')\n"
        "            os.write(2, b'ERROR: no memory\\n')\n"
        "            logger.warning('slow')\n"
        "            raise ValueError\n"
        "    except ValueError:\n"
        "        os.write(2, b'end\\n')\n"
    )
    for flags, details in ([], []), (["-v"], ["fots-lite: debug: INFO: Created a delegate"]):
        command = [sys.executable, "-c", code, *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rest = ["ERROR: no memory", "fots-lite: warning: slow", "end"]
        assert done.stderr.splitlines() == details + rest and not done.stdout


def test_check_minds_characters_and_no_spaces() -> None:
    assert check.compare(["a b", "c"], ["ab", "c"]) == [("a b", "ab"), ("c", "c")]
    assert check.same("Net 500 g", "Net 500g") and not check.same("Net 500 g", "Net 50O g")
    assert not check.same("a", None)

"""Standard streams that are closed, and what may not reach a terminal through them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdk.cli import main
from tests import tiny

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a Unix shell")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.asarray(tiny.draw_photo([("HEAD", 8, 12)], (128, 128)))
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def shell(bundle: Path, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line, in which $FOTS is the program and $MODEL the bundle."""
    return subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "FOTS": f"{sys.executable} -m sdk",
            "MODEL": str(bundle),
        },
    )


def test_closed_standard_error(tiny_bundle: Path, photo: Path) -> None:
    done = shell(tiny_bundle, "$FOTS read photo.png --model $MODEL 2>&-", photo.parent)
    assert (done.returncode, done.stdout) == (0, "HEAD\n")
    done = shell(tiny_bundle, "$FOTS read no.png --model $MODEL 2>&-", photo.parent)
    assert (done.returncode, done.stdout) == (1, "")


def test_closed_standard_output(tiny_bundle: Path, photo: Path) -> None:
    done = shell(tiny_bundle, "$FOTS read photo.png --model $MODEL >&-", photo.parent)
    assert done.returncode == 1
    assert done.stderr == (
        "fots-lite: error: Cannot write the output: standard output is closed. "
        "Check the target of standard output.\n"
    )
    command = "$FOTS read photo.png --model $MODEL --output out.txt >&- 2>&- <&-"
    assert shell(tiny_bundle, command, photo.parent).returncode == 0
    assert (photo.parent / "out.txt").read_text() == "HEAD\n"


def test_closed_standard_input(tiny_bundle: Path, photo: Path) -> None:
    done = shell(tiny_bundle, "$FOTS read - photo.png --model $MODEL <&-", photo.parent)
    assert done.returncode == 1
    assert done.stdout.endswith("HEAD\n")
    assert done.stderr == (
        "fots-lite: error: Cannot read standard input: it is closed. Pipe a picture in.\n"
    )


def test_standard_input_without_end(tiny_bundle: Path, tmp_path: Path) -> None:
    done = shell(tiny_bundle, "$FOTS read - --model $MODEL </dev/zero", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "it has more than 268 MB" in done.stderr


def test_a_working_folder_that_is_gone(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    command = "rmdir ../gone && $FOTS read a.png /dev/zero --model $MODEL"
    done = shell(tiny_bundle, command, tmp_path / "gone")
    assert (done.returncode, done.stdout) == (1, "")
    missing, device = done.stderr.splitlines()
    assert missing.startswith("fots-lite: error: Cannot open a.png: there is no such file")
    assert device.startswith("fots-lite: error: Cannot open /dev/zero: it is a device")


EVIL = "evil\x1b]0;PWNED\x07\x9b2J.png"


def test_names_send_no_commands_to_the_terminal(
    tiny_bundle: Path, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = photo.rename(photo.with_name(EVIL))
    options = ["--model", str(tiny_bundle), "--threads", "1"]
    assert main(["read", str(evil), str(evil), f"{evil}2", *options]) == 1
    assert main(["read", str(evil), "--json", *options]) == 0
    assert main(["read", str(evil), EVIL.replace("evil", "--evil")]) == 2
    captured = capsys.readouterr()
    assert "evil\ufffd]0;PWNED\ufffd\ufffd2J.png" in captured.out
    assert "evil\ufffd]0;PWNED\ufffd\ufffd2J.png2" in captured.err
    for text in (captured.out, captured.err):
        assert not {"\x1b", "\x07", "\x9b"} & set(text)

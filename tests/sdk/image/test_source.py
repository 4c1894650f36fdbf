"""Sources that are no files: pipes, devices, and folders that are gone; none of them hangs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk.errors import ImageError
from sdk.image import source
from sdk.image.load import load_image
from tests.sdk.image.pictures import corners_picture, encoded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files as on Unix")

LOAD = """
import sys
from sdk import ImageError, load_image
try:
    load_image(sys.argv[1])
except ImageError as error:
    print(error)
"""


def loaded_by_a_child(path: str | Path, folder: Path | None = None) -> str:
    """What a process of its own says of a file, which is killed if it hangs."""
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
    )
    return done.stdout


def test_a_pipe_that_nobody_writes_into(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photo.jpg")
    assert "no data came through the pipe for 10 s" in loaded_by_a_child(tmp_path / "photo.jpg")


@pytest.mark.parametrize("late_s", [0.0, 0.5])
def test_a_pipe_with_a_picture(tmp_path: Path, late_s: float) -> None:
    data, pipe = encoded(corners_picture(), "PNG"), tmp_path / "photo.png"
    os.mkfifo(pipe)
    # more than the pipe holds at a time
    writer = threading.Timer(late_s, pipe.write_bytes, (data * 2000,))
    writer.daemon = True
    writer.start()
    np.testing.assert_array_equal(load_image(pipe), load_image(data))
    writer.join(60)


def test_a_pipe_that_is_closed_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photo.jpg")
    writer = threading.Timer(0.1, (tmp_path / "photo.jpg").write_bytes, (b"",))
    writer.daemon = True
    writer.start()
    with pytest.raises(ImageError, match=r"it is empty \(0 bytes\)"):
        load_image(tmp_path / "photo.jpg")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices(device: str) -> None:
    with pytest.raises(ImageError, match=f"{device}: it is a device or a socket. Pass a file"):
        load_image(device)


def test_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("photo.jpg")
        with pytest.raises(ImageError, match="it is a device or a socket"):
            load_image("photo.jpg")


def test_files_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 2**22)
    with Path("/dev/zero").open("rb") as zeros, pytest.raises(ImageError, match="more than 4 MB"):
        load_image(zeros)


def test_file_objects_that_give_their_bytes_in_parts() -> None:
    data = encoded(corners_picture(), "PNG")

    class Dribble:
        place = 0

        def read(self, size: int) -> bytes:
            part = data[self.place : self.place + min(size, 7)]
            self.place += len(part)
            return part

    dribble: Any = Dribble()
    np.testing.assert_array_equal(load_image(dribble), load_image(data))


def test_a_child_that_is_forked_while_a_picture_is_opened() -> None:
    program = """
import io, os, threading, time
from PIL import Image
from sdk.image import pillow
from sdk.image.load import load_image
file = io.BytesIO()
Image.new("RGB", (8, 8)).save(file, "PNG")
holding = threading.Event()
def hold():
    with pillow._limit_lock:
        holding.set()
        time.sleep(0.3)
threading.Thread(target=hold).start()
holding.wait()
child = os.fork()
load_image(file.getvalue())
if child == 0:
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "0\n"


def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    command = f"cd {tmp_path}/gone && rmdir ../gone && exec {sys.executable} -c '{LOAD}' a.jpg"
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no such file (the working folder does not exist any more)" in done.stdout

"""A reader in forked children: after a read, during reads, with other threads; and in spawned ones.

What a child does runs in a Python of its own with a deadline: a hang ends the test, not the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sdk.model.bundle import Bundle, write_manifest
from tests.sdk.engine import delegates

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

DEADLINE_S = 120


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle with lines read from the photo's pixels, which the threads of a pool do."""
    folder = shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("forking") / "bundle")
    manifest = Bundle.open(folder).manifest
    decode = manifest.decode.changed({"recognize.source": "pixels"})
    write_manifest(folder, replace(manifest, decode=decode))
    return folder


PRELUDE = """
import os, sys, threading, time
from sdk import Reader
from sdk.errors import SdkError
from tests import tiny

photo = tiny.draw_photo([("ABCD", 8, 8), ("HAG", 13, 78)], (128, 128))

def child(function):
    # the exit status of a child that leaves as programs do, with all that is freed then
    pid = os.fork()
    if not pid:
        assert function()
        sys.exit(0)
    return os.waitpid(pid, 0)[1]
"""


def run(code: str, *arguments: object) -> str:
    """Return what a program prints that ends by itself and well."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_a_reader_that_has_read_reads_in_a_forked_child(bundle: Path, threads: int) -> None:
    code = """
reader = Reader(sys.argv[1], threads=int(sys.argv[2]))
lines = reader.read(photo).lines
assert len(lines) == 2
assert child(lambda: reader.read(photo).lines == lines) == 0
assert child(lambda: child(lambda: reader.read(photo).lines == lines) == 0) == 0
assert reader.read(photo).lines == lines
"""
    run(code, bundle, threads)


def test_the_packaged_model_reads_in_a_forked_child() -> None:
    code = """
from sdk.image.load import load_image
picture = load_image("docs/photo.jpg")
reader = Reader(threads=2)
lines = reader.read(picture).lines
assert lines
assert child(lambda: reader.read(picture).lines == lines) == 0
"""
    run(code)


def test_a_new_reader_opens_in_a_forked_child(bundle: Path) -> None:
    # with another number of threads than OpenCV had in the parent
    code = """
import cv2, numpy
reader = Reader(sys.argv[1], threads=4)
cv2.resize(numpy.zeros((4000, 4000, 3), numpy.uint8), (3000, 3000))
lines = reader.read(photo).lines
for threads in (1, 2):
    assert child(lambda: Reader(sys.argv[1], threads=threads).read(photo).lines == lines) == 0
"""
    run(code, bundle)


def test_forks_while_other_threads_read(bundle: Path) -> None:
    code = """
from io import BytesIO
from PIL import Image
png = BytesIO()
Image.fromarray(photo).save(png, "png")
png = png.getvalue()
reader = Reader(sys.argv[1], threads=2)
lines = reader.read(photo).lines
stop = threading.Event()

def read():
    while not stop.is_set():
        assert reader.read(png).lines == lines

others = [threading.Thread(target=read, daemon=True) for _ in range(3)]
for other in others:
    other.start()
for pause in range(12):
    time.sleep(0.003 * pause)
    pid = os.fork()
    if not pid:
        good = all(reader.read(source).lines == lines for source in (photo, png))
        # the frames of the other threads stay: there is nothing to tidy up
        os._exit(0 if good else 1)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for other in others:
    other.join()
"""
    run(code, bundle)


def test_threads_read_in_forked_children(bundle: Path) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
reader = Reader(sys.argv[1], threads=2)
lines = reader.read(photo).lines

def read_often():
    with ThreadPoolExecutor(16) as pool:
        return all(x.lines == lines for x in pool.map(reader.read, [photo] * 64))

assert read_often()
pids = []
for _ in range(4):
    pid = os.fork()
    if not pid:
        os._exit(0 if read_often() else 1)
    pids.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
"""
    run(code, bundle)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_processes_of_a_pool_read(bundle: Path, tmp_path: Path, method: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        PRELUDE
        + """
import multiprocessing

def prepare(bundle):
    global reader
    reader = Reader(bundle, threads=1)

def texts(picture):
    return reader.read(picture).texts

if __name__ == "__main__":
    expected = Reader(sys.argv[1], threads=2).read(photo).texts
    context = multiprocessing.get_context(sys.argv[2])
    with context.Pool(2, prepare, [sys.argv[1]]) as pool:
        assert pool.map(texts, [photo] * 6) == [expected] * 6
"""
    )
    subprocess.run(
        [sys.executable, program, bundle, method],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        timeout=DEADLINE_S,
        check=True,
    )


def test_a_closed_reader_stays_closed_in_the_child(bundle: Path) -> None:
    code = """
reader = Reader(sys.argv[1], threads=2)
reader.read(photo)
reader.close()

def says_so():
    try:
        reader.read(photo)
    except SdkError as error:
        return "closed" in str(error)

assert child(says_so) == 0
"""
    run(code, bundle)


@pytest.mark.skipif(
    shutil.which("gcc") is None or sys.platform != "linux", reason="compiles a library for Linux"
)
def test_a_delegate_stays_with_the_parent(bundle: Path, tmp_path: Path) -> None:
    stub = delegates.build_stub(tmp_path / "libstub.so")
    code = """
from sdk.errors import DeviceError
reader = Reader(sys.argv[1], device=f"gpu:{sys.argv[2]}", threads=2)
lines = reader.read(photo).lines

def says_so():
    try:
        reader.read(photo)
    except DeviceError as error:
        return "forked" in str(error)

assert child(says_so) == 0
assert reader.read(photo).lines == lines
assert child(lambda: Reader(sys.argv[1], device="cpu").read(photo).lines == lines) == 0
"""
    run(code, bundle, stub)

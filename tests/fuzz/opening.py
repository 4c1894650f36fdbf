"""Open damaged bundles in a process of its own: a graph can crash or hang the interpreter.

That process is ``python -m tests.fuzz.opening PICTURE``, which reads the picture with each bundle
whose folder it is told, and says what came of it.
"""

from __future__ import annotations

import contextlib
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from sdk.errors import SdkError
from sdk.reader import Reader
from tests import tiny
from tests.fuzz.mutations import FAULT

READ = "read"
TIMEOUT_S = 120
MEMORY = 8 << 30


class Opener:
    """Opens bundles in a process that is started again when it crashed or hung."""

    def __init__(self, picture: Path) -> None:
        self._command = [sys.executable, "-m", "tests.fuzz.opening", str(picture)]
        self._process: subprocess.Popen[str] | None = None

    def check(self, bundle: Path) -> Path:
        """Return a bundle that reads as it is."""
        said = self.outcome(bundle)
        if said != READ:
            raise RuntimeError(f"{bundle} is undamaged, and yet: {said}")
        return bundle

    def outcome(self, bundle: Path) -> str:
        """Return what reading the picture with a bundle came to."""
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: the answer tells
            self._process.stdin.write(f"{bundle}\n")
            self._process.stdin.flush()
        answered, _, _ = select.select([self._process.stdout], [], [], TIMEOUT_S)
        said = self._process.stdout.readline().strip() if answered else ""
        if said:
            return said
        code = self.close()
        if not answered:
            return f"{FAULT}: hangs"
        # no Python code can do this: told apart, since no SDK can prevent it
        return f"the interpreter crashes ({signal.Signals(-code).name})" if code < 0 else FAULT

    @property
    def process(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def close(self) -> int:
        """End the process and return its exit code."""
        if self._process is None:
            return 0
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = None
        return code


@contextlib.contextmanager
def opener(folder: Path) -> Iterator[Opener]:
    """Give an opener whose picture is in the script of `tests.tiny`."""
    picture = folder / "picture.png"
    Image.fromarray(tiny.draw_photo([("ABCD", 8, 8), ("HGFE", 8, 72)], (128, 128))).save(picture)
    opener = Opener(picture)
    try:
        yield opener
    finally:
        opener.close()


def _say(picture: np.ndarray, bundle: str) -> str:
    try:
        with Reader(bundle, device="cpu", threads=1) as reader:
            reader.read(picture)
    except SdkError as error:
        return f"refused by {type(error).__name__}"
    except Exception as error:
        return f"{FAULT}: {type(error).__name__}: {error}"[:200].replace("\n", " ")
    return READ


def _main(picture: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    pixels = np.asarray(Image.open(picture))
    for line in sys.stdin:
        print(_say(pixels, line.rstrip("\n")), flush=True)


if __name__ == "__main__":
    _main(sys.argv[1])

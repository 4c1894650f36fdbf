"""Hosts that fail while `fots-lite bulk` reads: ``python -m tests.sdk.bulk.show PHOTOS FOLDER``.

FOLDER/one-process.jsonl holds the rows of one process; it is written if it is missing. Needs root,
for network namespaces. Four hosts: a head without work, h1 whose cable is pulled, h2 that is
switched off, h3 that joins in between and reads what is left.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

from sdk import Reader
from sdk.errors import SdkError
from sdk.terminal import json_line
from tests.hosts import Hosts


def one_process(photos: Path, model: Path | None = None) -> bytes:
    """The rows of all photos, by a reader and nothing of `sdk.bulk`."""
    rows = []
    with Reader(model, device="cpu", threads=1) as reader:
        for key in sorted(p.relative_to(photos).as_posix() for p in photos.rglob("*.*")):
            try:
                row = reader.read((photos / key).read_bytes()).to_dict()
                del row["timing"]
            except SdkError as error:
                row = {"error": str(error)}
            rows.append(json_line({"key": key, **row}) + "\n")
    return "".join(rows).encode()


def output_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*")))


def parts_in(folder: Path) -> int:
    return len(list(folder.glob("part-*")))


class Log:
    """The progress of a command, read while it runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.lines = process, list[str]()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(f"{time.monotonic() - self._began:6.1f} {line.rstrip()}")

    def wait_for(self, condition: object, seconds: float) -> None:
        """Wait until a condition, without arguments, is true."""
        deadline = time.monotonic() + seconds
        while not condition():  # type: ignore[operator]
            assert self.process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.1)

    def end(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        self._thread.join(10)
        return code


def main(photos: Path, folder: Path) -> None:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} {text}", flush=True)

    reference = folder / "one-process.jsonl"
    if not reference.exists():
        reference.write_bytes(one_process(photos))
    wanted = hashlib.sha256(reference.read_bytes()).hexdigest()
    say(f"one process: {wanted}")
    with Hosts(folder, 4, namespaces=True) as hosts:
        hosts.start(0, 0)
        hosts.wait(0, seconds=300)
        hosts.start(1, 1)
        hosts.start(2, 1)
        hosts.wait(1, 2, seconds=300)
        say("h0, h1, h2 are up")
        out = folder / "out"
        command = [sys.executable, "-m", "sdk", "bulk", str(photos), "--output", str(out)]
        command += ["--chunk", "10", "--cluster", hosts.address]
        log = Log(hosts.run(*command))
        log.wait_for(lambda: parts_in(out) >= 6, 900)
        hosts.cut(1)
        say(f"h1's cable is pulled, {parts_in(out)} parts are there")
        hosts.start(3, 1)
        log.wait_for(lambda: any("h3 " in line.partition("node:")[2] for line in log.lines), 900)
        say(f"h3 has joined and has done its first part, {parts_in(out)} parts are there")
        hosts.kill(2)
        say("h2 is switched off")
        code = log.end(1500)
        print("\n".join(log.lines))
        found = hashlib.sha256(output_of(out)).hexdigest()
        keys = [json.loads(line)["key"] for line in output_of(out).splitlines()]
        say(f"exit code {code}, {len(keys)} rows, {len(set(keys))} keys, sha256 {found}")
        left = [path.name for path in out.iterdir() if path.name.startswith(".")]
        say(f"temporary files left: {left}")
        again = hosts.run(*command)
        say(f"second start: {again.communicate()[1].strip()} exit code {again.returncode}")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    say(f"CPU seconds of all hosts: {children.ru_utime + children.ru_stime:.0f}")
    assert found == wanted and len(keys) == len(set(keys))


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())

"""Memory of the head for many photos: ``python -m tests.sdk.bulk.many FOLDER [COUNT]...``.

The photos are 64 x 64 px and the model is that of `tests.tiny`: the work for each of them is small,
so that what the head keeps for each photo shows. Without arguments: 1,000 and 10,000 photos.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cv2

from tests import tiny
from tests.hosts import ROOT, children


def _photos(folder: Path, count: int) -> Path:
    """A folder with photos of a line of one character each, which differ by their names only."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = [
        cv2.imencode(".png", tiny.draw_photo([(text, 8, 16)], (64, 64)))[1].tobytes()
        for text in "ABCDEFGH"
    ]
    for number in range(len(list(folder.iterdir())), count):
        (folder / f"{number:06d}.png").write_bytes(kinds[number % len(kinds)])
    return folder


def _peaks(pid: int) -> Counter[str]:
    """The greatest resident memory so far of a process and those below it, in KiB, by name."""
    found: Counter[str] = Counter()
    for each in [pid, *children(pid)]:
        try:
            status = Path(f"/proc/{each}/status").read_text()
            command = Path(f"/proc/{each}/cmdline").read_bytes().decode().split("\0")[0]
        except OSError:  # it has just ended
            continue
        if peak := re.search(r"VmHWM:\s+(\d+)", status):
            name = "driver" if each == pid else Path(command).name.split("(")[0]
            found[name] = max(found[name], int(peak[1]))
    return found


def main(folder: Path, counts: list[int]) -> None:
    model = folder / "model"
    if not model.exists():
        tiny.build(model, ["fp32"])
    for count in counts:
        photos, out = _photos(folder / f"photos-{count}", count), folder / f"out-{count}"
        began = time.monotonic()
        line = [sys.executable, "-m", "sdk", "bulk", "--quiet", str(photos)]
        running = subprocess.Popen(
            [*line, "--output", str(out), "--model", str(model), "--workers", "1", "--chunk", "50"],
            cwd=ROOT,
        )
        peaks: Counter[str] = Counter()
        while running.poll() is None:
            peaks |= _peaks(running.pid)
            time.sleep(0.2)
        assert running.returncode == 0
        rows = sum(path.read_bytes().count(b"\n") for path in out.glob("part-*"))
        print(f"{count} photos, {rows} rows, {time.monotonic() - began:.0f} s. Greatest RSS, MB:")
        for name, peak in peaks.most_common():
            print(f"  {name:24} {peak / 1024:6.1f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), [int(text) for text in sys.argv[2:]] or [1000, 10000])

"""Memory of the head for many photos: ``python -m tests.sdk.bulk.many FOLDER [COUNT]...``.

The photos are 64 x 64 px and the model is that of `tests.tiny`: the work for each of them is small,
so that what the head keeps for each photo shows. Without arguments: 1,000 and 10,000 photos.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path

import cv2

from tests import tiny
from tests.hosts import Hosts, children


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


def _peaks(pid: int, root: str) -> Counter[str]:
    """The greatest resident memory so far of a process and those below it, in KiB, by name."""
    found: Counter[str] = Counter()
    for each in [pid, *children(pid)]:
        try:
            status = Path(f"/proc/{each}/status").read_text()
            command = Path(f"/proc/{each}/cmdline").read_bytes().decode().split("\0")[0]
        except OSError:  # it has just ended
            continue
        if peak := re.search(r"VmHWM:\s+(\d+)", status):
            name = root if each == pid else Path(command).name.split("(")[0]
            found[name] = max(found[name], int(peak[1]))
    return found


def main(folder: Path, counts: list[int]) -> None:
    model = folder / "model"
    if not model.exists():
        tiny.build(model, ["fp32"])
    with Hosts(folder, 1, namespaces=False) as hosts:
        hosts.start(0, 1)
        hosts.wait(0)
        for count in counts:
            photos, out = _photos(folder / f"photos-{count}", count), folder / f"out-{count}"
            line = [sys.executable, "-m", "sdk", "bulk", "--quiet", str(photos)]
            line += ["--output", str(out), "--model", str(model), "--cluster", hosts.address]
            began = time.monotonic()
            driver = hosts.run(*line)
            peaks: Counter[str] = Counter()
            while driver.poll() is None:
                peaks |= _peaks(driver.pid, "driver") | _peaks(hosts.pid(0), "ray start")
                time.sleep(0.2)
            assert driver.returncode == 0, driver.communicate()
            rows = sum(path.read_bytes().count(b"\n") for path in out.glob("part-*"))
            print(
                f"{count} photos, {rows} rows, {time.monotonic() - began:.0f} s; greatest RSS, MB:"
            )
            for name, peak in peaks.most_common():
                print(f"  {name:24} {peak / 1024:6.1f}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), [int(text) for text in sys.argv[2:]] or [1000, 10000])

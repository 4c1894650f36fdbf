"""Commands that are killed or find the disk full."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def kill_at(message: str, arguments: list[str]) -> None:
    """Kill `python -m convert` once it says something."""
    with subprocess.Popen(
        [sys.executable, "-m", "convert", *arguments], stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stderr is not None
        assert any(message in line for line in process.stderr)
        process.send_signal(signal.SIGKILL)


def fail_on_full_disk(arguments: list[str], most_bytes: int) -> None:
    """Run `python -m convert` with a limit on the size of files, and check its error."""

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    done = subprocess.run(
        [sys.executable, "-m", "convert", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=no_large_files,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr

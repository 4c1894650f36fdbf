"""A training command in a process of its own, as from a terminal."""

from __future__ import annotations

import signal
import subprocess
import sys


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start a command that draws with fonts, and read its standard error."""
    # few fonts start sooner
    fonts = ["--fonts", "/usr/share/fonts/truetype/dejavu"]
    return subprocess.Popen(
        [sys.executable, "-m", "training", *arguments, *fonts],
        stderr=subprocess.PIPE,
        text=True,
        # a shell's jobs in the background ignore it, and so would what they start
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )

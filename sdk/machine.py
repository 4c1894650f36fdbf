"""What this machine is, and how much of its memory the process has held."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

__all__ = ["cpu_name", "peak_rss_mib"]


def cpu_name() -> str:
    """Return what the board or processor calls itself, as well as it can be found out."""
    for file, key in (("/proc/device-tree/model", ""), ("/proc/cpuinfo", "model name")):
        try:
            text = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if not key:
            return text.strip("\0\n ")
        for line in text.splitlines():
            if line.startswith(key):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"


def peak_rss_mib() -> float | None:
    """Return the largest memory this process has held, in MiB; None where it is not known."""
    try:
        # the kernel's other figure starts a child with its parent's peak
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    except OSError:  # not Linux
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return round(peak * unit / 2**20, 1)

"""Facts about this machine: name and abilities of the processor, peak memory of the process."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

__all__ = ["cpu_name", "has_bfloat16", "peak_rss_mib"]


def cpu_name() -> str:
    """Return the name of the board or processor, or "unknown"."""
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


def has_bfloat16(info: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the processor multiplies matrices of bfloat16 (Intel AMX).

    Args:
        info: The system's description of the processor. Without it the answer is no.
    """
    try:
        return "amx_bf16" in info.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False


def peak_rss_mib() -> float | None:
    """Return the peak memory of this process in MiB, None where the system does not tell."""
    try:
        # ru_maxrss of a child would start with its parent's peak
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

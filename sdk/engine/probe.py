"""Try a device in a child process, so that a crash of a delegate becomes an ordinary error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sdk.engine.edgetpu import explain_crash
from sdk.engine.interpreter import find_interpreter
from sdk.engine.trial import Trial, try_device
from sdk.errors import DeviceError, ModelError

__all__ = ["child_environment", "probe"]

# Drivers compile their kernels at the first use, which takes half a minute on small boards.
TIMEOUT_S = 180


def child_environment() -> dict[str, str]:
    """Return an environment in which a child process finds the packages of this process."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}


def probe(trial: Trial) -> dict[str, Any]:
    """Run a trial in a child process and return its report.

    Args:
        trial: The trial.

    Returns:
        "ms" and "rival_ms" if measured: median times of the graph on the device and of its rival
        on the CPU, milliseconds.

    Raises:
        DeviceError: The device cannot be used, crashes, hangs or computes wrong outputs.
        ModelError: The file does not fit its description.
    """
    report: dict[str, Any] = {}
    if getattr(sys, "frozen", False) or not sys.executable:
        # a program packed into one file cannot run a module as Python does
        try_device(trial, report)
        return report
    with tempfile.TemporaryDirectory(prefix="fots-lite-") as folder:
        request, answer = Path(folder, "request.json"), Path(folder, "report.json")
        request.write_text(json.dumps(trial.to_dict()), encoding="utf-8")
        command = [sys.executable, "-m", "sdk.engine.trial", str(request), str(answer)]
        try:
            done = subprocess.run(
                command,
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DeviceError(
                f"The device {trial.device} did not answer within {TIMEOUT_S} s. Plug it in again, "
                'restart the machine, or use device="cpu".'
            ) from error
        except OSError as error:
            raise DeviceError(
                f"The device {trial.device} cannot be tried: {sys.executable} does not start "
                f'({error.strerror or error}). Check the Python installation, or use device="cpu".'
            ) from error
        if answer.is_file():
            report = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in report:
        raise (ModelError if report["model"] else DeviceError)(report["error"])
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DeviceError(_explain_end(trial, done.returncode, report.get("step"), said))
    return report


def _explain_end(trial: Trial, code: int, step: str | None, said: list[str]) -> str:
    """Return why a trial ended without a report of an error."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        how = f"crashes while {step or 'starting'} ({name})"
    else:
        how = f"fails while {step or 'starting'} ({said[-1] if said else f'exit code {code}'})"
    what = trial.device.detail if trial.device.kind == "gpu" else "libedgetpu"
    if trial.device.kind == "edgetpu":
        advice = explain_crash(find_interpreter().name)
    elif trial.device.detail:
        advice = "Build the delegate from the interpreter's own TensorFlow version."
    else:
        what = "The accelerator of ai-edge-litert"
        advice = "Update the GPU's driver."
    return f'{what} {how}. {advice} device="cpu" works without it.'

"""Commands whose packages are missing, and what they write before they begin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINE = ("fit", "--config", "training/configs/line.toml", "--data", "x", "--run", "y")


def run(package: str, arguments: tuple[str, ...], missing: tuple[str, ...] = ()) -> tuple[int, str]:
    """Return the exit code and standard error of a command where packages are missing."""
    code = (
        f"import runpy, sys\nsys.modules.update(dict.fromkeys({missing!r}))\n"
        f"sys.argv[1:] = {arguments!r}\nrunpy.run_module({package!r}, run_name='__main__')"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        ("training", LINE, "train"),
        ("training", ("evaluate", "--run", "x", "--data", "y"), "train"),
        ("training", ("diagnose", "--run", "x", "--data", "y", "--out", "z"), "train"),
        ("training", ("average", "x", "y", "--out", "z"), "train"),
        ("convert", ("export", "x", "--out", "y"), "convert"),
        ("convert", ("tune", "x", "--out", "y"), "convert"),
        ("convert", ("verify", "x", "y"), "convert"),
    ],
)
def test_a_missing_package_is_said_in_one_line(
    package: str, arguments: tuple[str, ...], extra: str
) -> None:
    code, said = run(package, arguments, ("keras", "tensorflow", "tf_keras", "tensorboard"))
    assert code == 3
    assert said == (
        f'error: The package keras is not installed. Install it: pip install ".[{extra}]"\n'
    )


def test_a_module_of_the_project_that_is_missing_is_a_fault() -> None:
    code, said = run("training", LINE, ("training.config",))
    assert code == 1
    assert "ModuleNotFoundError" in said


def test_tensorflow_writes_nothing_of_gpus() -> None:
    code, said = run("training", ("evaluate", "--run", "x", "--data", "y"))
    assert code == 1
    assert said.startswith("error: ")
    assert said.count("\n") == 1

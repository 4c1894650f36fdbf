from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sdk.errors import JobError
from sdk.station import Job, judge
from sdk.station.outputs import CommandSettings, Outputs
from tests.cameras import wait_until
from tests.sdk.station.readings import make_reading

ROOT = Path(__file__).resolve().parents[4]
VERDICT = judge(Job("milk"), make_reading("L1; echo $HOME"), taken=5.0)


def run(*command: str, **more: Any) -> dict[str, Any]:
    with Outputs([CommandSettings(name="tool", command=command, **more)]) as outputs:
        outputs.publish(VERDICT)
        wait_until(lambda: outputs.counts()["tool"]["waiting"] == 0)
        return outputs.counts()["tool"]


def test_a_program_gets_the_verdict_on_standard_input(tmp_path: Path) -> None:
    target = tmp_path / "got it.json"
    code = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"
    assert run(sys.executable, "-c", code, str(target), timeout_s=60.0)["sent"] == 1
    assert json.loads(target.read_text())["text"] == "L1; echo $HOME"


def test_a_program_that_does_not_listen_is_fine() -> None:
    assert run("true")["sent"] == 1


def test_a_failing_program_is_told_and_not_run_again(tmp_path: Path) -> None:
    counts = run("sh", "-c", f"echo x >> {tmp_path / 'runs'}; echo no paper >&2; exit 3")
    assert (counts["sent"], counts["failed"]) == (0, 1)
    assert counts["last_error"] == "sh failed with exit code 3: no paper"
    assert (tmp_path / "runs").read_text() == "x\n"


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    counts = run("sh", "-c", f"sleep 1000 & echo $! > {pid}; wait", timeout_s=1.0)
    assert "longer than 1 s" in counts["last_error"]

    def gone() -> bool:
        stat = Path(f"/proc/{pid.read_text().strip()}/stat")
        return not stat.exists() or stat.read_text().split()[2] == "Z"

    if Path("/proc/self").is_dir():
        wait_until(gone)


FLOOD = """
import resource, sys
from pathlib import Path
from tests.sdk.station.outputs.test_command import run
def grown() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20
before = grown()
code = "import os\\nfor _ in range(4000): os.write(2, 65536 * b'x')\\n"
code += "os.write(2, b'no paper'); exit(3)"
print(run(sys.executable, "-c", code, timeout_s=120.0)["last_error"][-12:], grown() - before < 50)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_what_a_program_says_without_end_is_not_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FLOOD], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.stdout == "xxxxno paper True\n", done.stderr


def test_what_a_program_says_is_no_command_to_the_terminal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counts = run("sh", "-c", r"printf 'no\033]0;x\007\n\302\233 paper' >&2; exit 1")
    assert counts["last_error"].endswith("no\ufffd]0;x\ufffd \ufffd paper")
    assert "\x1b" not in caplog.text
    assert "paper" in caplog.text


def test_a_missing_program_is_told() -> None:
    assert "Cannot run /none/such" in run("/none/such")["last_error"]


@pytest.mark.parametrize("command", [(), ("",)])
def test_no_program_is_refused(command: tuple[str, ...]) -> None:
    with pytest.raises(JobError, match="command is empty"):
        CommandSettings(name="tool", command=command)

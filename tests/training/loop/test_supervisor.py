import os
import subprocess
import sys
import textwrap

import pytest

from tests.training.conftest import LINE_TOML
from training.errors import TrainingError
from training.loop.hosts import Host, read_hosts
from training.loop.supervisor import Plan, supervise

# Counts its starts in a file for each rank, and ends as the arguments say for each start.
MEMBER = """
import argparse, os, signal, time
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("ends")
for name in ("--rank", "--world", "--coordinator"):
    parser.add_argument(name)
options = parser.parse_args()
log = options.folder / options.rank
with log.open("a") as file:
    file.write(f"{options.world} {options.coordinator}\\n")
starts = len(log.read_text().splitlines())
end = options.ends.split(",")[min(starts, options.ends.count(",") + 1) - 1]
if options.rank == "1" and end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if options.rank == "1" and end == "wrong":
    raise SystemExit(2)
if end != "well":
    time.sleep(600)  # waits for the lost process
"""


@pytest.fixture(autouse=True)
def on_jax(monkeypatch):
    """Other tests of this process choose another backend."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")


def run(tmp_path, ends, plan):
    script = tmp_path / "member.py"
    script.write_text(textwrap.dedent(MEMBER))
    return supervise([sys.executable, str(script), str(tmp_path), ends], plan)


def starts(tmp_path, rank):
    return (tmp_path / str(rank)).read_text().splitlines()


def test_all_processes_start_again_when_one_is_lost(tmp_path):
    plan = Plan([Host("localhost", 2)], 2, 2, max_failures=1, port=7301)
    assert run(tmp_path, "killed,well", plan) == 0
    for rank in (0, 1):
        assert [line.split()[0] for line in starts(tmp_path, rank)] == ["2", "2"]
    assert starts(tmp_path, 0) == starts(tmp_path, 1)


def test_failures_are_counted(tmp_path):
    plan = Plan([Host("localhost", 2)], 2, 2, max_failures=1, port=7311)
    with pytest.raises(TrainingError, match="lost 2 times"):
        run(tmp_path, "killed", plan)
    assert len(starts(tmp_path, 0)) == 2


def test_a_clear_error_is_not_repeated(tmp_path):
    plan = Plan([Host("localhost", 2)], 2, 2, max_failures=3, port=7321)
    assert run(tmp_path, "wrong", plan) == 2
    assert len(starts(tmp_path, 1)) == 1


def test_no_more_processes_than_asked_for_and_no_fewer(tmp_path):
    hosts = [Host("localhost", 2), Host("127.0.0.1", 2)]
    assert run(tmp_path, "well", Plan(hosts, 1, 3, 0, 7331)) == 0
    assert sorted(path.name for path in tmp_path.glob("[0-9]")) == ["0", "1", "2"]
    with pytest.raises(TrainingError, match="5 at least"):
        run(tmp_path, "well", Plan(hosts, 5, 5, 0, 7341))


def test_hosts_are_read(tmp_path):
    path = tmp_path / "hosts.txt"
    path.write_text("# two machines\n10.0.0.1 4\n\nbox  # its name\n")
    assert read_hosts(str(path)) == [Host("10.0.0.1", 4), Host("box", 1)]
    assert read_hosts("3") == [Host("localhost", 3)]
    command = Host("box").command(["python", "-m", "training"], {"KERAS_BACKEND": "jax"})
    assert command[0] == "ssh" and command[-2] == "box"
    assert command[-1].endswith("exec env KERAS_BACKEND=jax python -m training")


@pytest.mark.parametrize("text", ["10.0.0.1 four\n", "a b c\n", "# nothing\n"])
def test_wrong_hosts_are_refused(tmp_path, text):
    path = tmp_path / "hosts.txt"
    path.write_text(text)
    with pytest.raises(TrainingError, match=r"hosts\.txt"):
        read_hosts(str(path))
    with pytest.raises(TrainingError, match="number of processes"):
        read_hosts(str(tmp_path / "missing.txt"))


def test_another_kind_of_address_is_refused():
    with pytest.raises(TrainingError, match=r"ssh://10\.0\.0\.1: .*ray://HOST:PORT"):
        read_hosts("ssh://10.0.0.1")


def test_tensorflow_is_refused(line_shards, tmp_path):
    (tmp_path / "line.toml").write_text(LINE_TOML)
    line = [sys.executable, "-m", "training", "fit", "--config", tmp_path / "line.toml"]
    line += ["--data", line_shards, "--run", tmp_path / "run", "--workers", "2"]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and not (tmp_path / "run").exists()
    assert "on JAX or PyTorch, and the backend is tensorflow" in done.stderr

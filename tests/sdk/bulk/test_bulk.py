"""`fots-lite bulk` on hosts of a real cluster; see `tests.hosts`."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sdk.cli import main
from tests.hosts import Hosts, running_hosts
from tests.sdk.bulk.show import one_process, output_of, parts_in

pytest.importorskip("ray", reason="the extra cluster is not installed: no Ray")
pytest.importorskip("fsspec", reason="the extra cluster is not installed: no fsspec")

PHOTOS = 40  # of the fixture


@pytest.fixture(scope="module")
def wanted(photos, tiny_bundle):
    rows = one_process(photos, tiny_bundle)
    assert rows.count(b'"error"') == 1 and rows.count(b'"text": "') > PHOTOS
    return rows


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """A head without work, h1 and h2; namespaces where they are permitted."""
    with running_hosts(tmp_path_factory.mktemp("hosts"), (0, 1, 1)) as found:
        yield found


def command(photos: Path, out: Path, hosts: Hosts, bundle: Path) -> list[str]:
    line = [sys.executable, "-m", "sdk", "bulk", str(photos), "--output", str(out)]
    return [*line, "--model", str(bundle), "--chunk", "2", "--cluster", hosts.address]


def test_a_lost_host_changes_no_byte(photos, wanted, hosts, tiny_bundle, tmp_path):
    out = tmp_path / "out"
    line = command(photos, out, hosts, tiny_bundle)
    running = hosts.run(*line)
    deadline = time.monotonic() + 120
    while parts_in(out) < 2:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if hosts.namespaces:
        hosts.cut(1)
    else:
        hosts.kill(1)
    said = running.communicate(timeout=180)[1]
    assert running.returncode == 0, said
    assert hashlib.sha256(output_of(out)).digest() == hashlib.sha256(wanted).digest()
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
    record = json.loads((out / "_SUCCESS").read_text())
    assert record["photos"] == PHOTOS and record["unreadable"] == 1
    assert record["pages"] == PHOTOS - 1 and record["parts"] == PHOTOS // 2
    assert record["bytes"] == len(wanted)

    # a second start does nothing, and a missing or damaged part is made again
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert main(line[3:]) == 0
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    for name in ("_SUCCESS", "part-00003.jsonl"):
        (out / name).unlink()
    (out / "part-00004.jsonl").write_text('{"key": "')
    again = hosts.run(*line, "--resume")
    said = again.communicate(timeout=120)[1]
    assert again.returncode == 0 and "part-00004.jsonl is damaged" in said, said
    assert output_of(out) == wanted


@pytest.mark.parametrize(
    ("prepare", "options", "said"),
    [
        (lambda out: None, ["--cluster", "127.0.0.1:1"], "No cluster answers"),
        (lambda out: None, ["--cluster", "127.0.0.1"], "Give HOST:PORT"),
        (lambda out: None, ["--pattern", "["], "pattern"),
        (lambda out: (out / "mine.txt").write_text(""), [], "is not empty"),
        (lambda out: (out / "manifest.json").write_text("{"), [], "damaged"),
        (lambda out: (out / "manifest.json").write_text("{}"), [], "another run"),
    ],
)
def test_wrong_use_is_refused(photos, tiny_bundle, tmp_path, capsys, prepare, options, said):
    prepare(tmp_path)
    line = ["bulk", str(photos), "--output", str(tmp_path), "--model", str(tiny_bundle)]
    assert main([*line, *options]) != 0
    assert said in capsys.readouterr().err


def test_an_empty_source_is_refused(tmp_path, capsys):
    assert main(["bulk", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "no picture files" in capsys.readouterr().err
    assert main(["bulk", str(tmp_path / "none"), "--output", str(tmp_path / "out")]) == 1
    assert "Cannot list" in capsys.readouterr().err


def test_help_needs_no_ray():
    code = "import sys; sys.modules['ray'] = None; from sdk.cli import main; main(['bulk', '-h'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0

"""`fots-lite bulk` on a node that cannot do its part: clear errors, and a run that goes on."""

import shutil
import subprocess
import sys

import pytest

from sdk import __version__
from tests.hosts import ROOT, permitted_hosts
from tests.sdk.bulk.disk import small_disk
from tests.sdk.bulk.show import one_process, output_of, parts_in

pytest.importorskip("ray", reason="the extra cluster is not installed: no Ray")
pytest.importorskip("fsspec", reason="the extra cluster is not installed: no fsspec")


def run(hosts, *line):
    running = hosts.run(*line)
    said = running.communicate(timeout=300)[1]
    return running.returncode, said


def test_a_node_of_another_version_and_a_full_disk(photos, tiny_bundle, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "sdk", other / "sdk", ignore=shutil.ignore_patterns("__pycache__"))
    init = other / "sdk" / "__init__.py"
    init.write_text(init.read_text().replace(f'"{__version__}"', '"0.0.1"'))
    out = tmp_path / "out"
    # nodes import from the folder of the command before they import from their own
    line = ["sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path)]
    line += [sys.executable, "-m", "sdk", "bulk", str(photos), "--output", str(out)]
    line += ["--model", str(tiny_bundle), "--chunk", "2"]
    (tmp_path / "hosts").mkdir()
    with (
        small_disk(out, "28k"),  # 7 pages: the manifest, and some of 20 parts
        permitted_hosts(tmp_path / "hosts", 3) as hosts,
    ):
        line += ["--cluster", hosts.address]
        hosts.start(0, 0)
        hosts.wait(0)
        hosts.start(1, 1, {"PYTHONPATH": str(other)})
        hosts.wait(1)
        code, said = run(hosts, *line)
        assert code == 1, said
        assert f"differs from the head: fots-lite is '0.0.1', not '{__version__}'" in said
        assert "Install the same on every node" in said
        assert parts_in(out) == 0 and (out / "manifest.json").exists()
        hosts.kill(1)

        hosts.start(2, 1)
        hosts.wait(2)
        code, said = run(hosts, *line, "--resume")
        assert code == 1, said
        assert "failed on the node" in said and "No space left on device" in said
        assert 0 < parts_in(out) < 20 and not (out / "_SUCCESS").exists()

        subprocess.run(["mount", "-o", "remount,size=1m", str(out)], check=True)
        code, said = run(hosts, *line, "--resume")
        assert code == 0, said
        assert "there already" in said
        assert output_of(out) == one_process(photos, tiny_bundle)
        # what workers that were ended in a write had left is gone
        assert not [path.name for path in out.iterdir() if path.name.startswith(".")]

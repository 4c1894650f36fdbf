"""`training synth --cluster`: the bytes of one process, and nodes with other fonts are refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosts import running_hosts
from training.cli import main
from training.data.shards import list_shards
from training.synth.generator import Generator, SynthConfig
from training.synth.origin import origin

SYSTEM = Path("/usr/share/fonts/truetype/dejavu")


@pytest.fixture
def fonts(tmp_path):
    """Two fonts of the system in a folder of the test's own."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    for name in ("DejaVuSans.ttf", "DejaVuSansMono.ttf"):
        if not (SYSTEM / name).exists():
            pytest.skip(f"{SYSTEM / name} is not installed")
        shutil.copy(SYSTEM / name, folder)
    return folder


def command(out, fonts):
    line = ["synth", "--kind", "line", "--out", str(out), "--count", "9", "--per-shard", "3"]
    return [*line, "--seed", "5", "--fonts", str(fonts)]


def test_the_origin_follows_the_fonts(fonts):
    config = SynthConfig(fonts=str(fonts))
    first = origin(Generator(config))
    assert first == origin(Generator(config)) and "opencv_version" in first
    shutil.copy(SYSTEM / "DejaVuSerif.ttf", fonts)
    other = SynthConfig(fonts=f"{fonts}/../fonts")  # the library of a folder is kept
    changed = origin(Generator(other))
    assert changed["fonts_sha256"] != first["fonts_sha256"]


def test_a_folder_is_not_resumed_with_other_fonts(fonts, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*command(out, fonts), "--workers", "1"]) == 0
    shutil.copy(SYSTEM / "DejaVuSerif.ttf", fonts)
    again = command(out, f"{fonts}/../fonts")
    assert main([*again, "--workers", "1"]) == 2
    assert "fonts_sha256 is" in capsys.readouterr().err


def test_a_cluster_writes_the_bytes_of_one_process(fonts, tmp_path):
    pytest.importorskip("ray", reason="the extra cluster is not installed: no Ray")
    assert main([*command(tmp_path / "one", fonts), "--workers", "1"]) == 0
    (tmp_path / "hosts").mkdir()
    with running_hosts(tmp_path / "hosts", (1,)) as hosts:
        line = command(tmp_path / "many", fonts)
        running = hosts.run(sys.executable, "-m", "training", *line, "--cluster", hosts.address)
        said = running.communicate(timeout=300)[1]
        assert running.returncode == 0, said
        assert "9 of 9 samples" in said
        names = [path.name for path in list_shards(tmp_path / "one")]
        assert [path.name for path in list_shards(tmp_path / "many")] == names
        for name in (*names, "synth.json"):
            assert (tmp_path / "many" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
        done = subprocess.run(
            hosts.driver(sys.executable, "-c", REFUSED.format(fonts=fonts)),
            env={**hosts.environment, "RAY_ADDRESS": hosts.address},
            capture_output=True,
            text=True,
        )
        assert "node h0 differs from the head: fonts_sha256 is" in done.stdout, done.stderr


REFUSED = """
import os
from pathlib import Path
from sdk.errors import ClusterError
from training.synth.cluster import write_shards_on_cluster
from training.synth.generator import Generator, SynthConfig
from training.synth.origin import origin
config = SynthConfig(fonts="{fonts}")
head = origin(Generator(config)) | {{"fonts_sha256": "of the head"}}
try:
    write_shards_on_cluster([(Path("{fonts}/shard-00000.tar"), range(2))], config, "line", (64, 64),
                            os.environ["RAY_ADDRESS"], head, print)
except ClusterError as error:
    print(error)
"""

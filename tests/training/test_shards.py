import json
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from training.shards import ShardError, list_shards, read_shard, shard_path, write_shard


def _samples(count=3):
    rng = np.random.default_rng(0)
    for index in range(count):
        # smooth pictures survive JPEG almost unchanged
        ramp = np.linspace(0, 200 + 10 * index, 40, dtype=np.float32)
        image = np.repeat(np.tile(ramp, (32, 1))[..., None], 3, axis=2).astype(np.uint8)
        yield index, image, {"text": f"LOT {rng.integers(1000)}"}


def test_round_trip(tmp_path):
    path = shard_path(tmp_path, 7)
    written = list(_samples())
    assert write_shard(path, written) == 3
    assert path.name == "shard-00007.tar"
    assert list_shards(tmp_path) == [path]
    for (index, image, record), (again, row) in zip(written, read_shard(path), strict=True):
        assert row["text"] == record["text"]
        assert row["image"] == f"{index:08d}.jpg"
        assert again.shape == image.shape
        assert again.dtype == np.uint8
        assert np.abs(again.astype(int) - image.astype(int)).max() <= 4


def test_a_failing_sample_leaves_nothing(tmp_path):
    def broken():
        yield from _samples(1)
        raise RuntimeError("pen broke")

    with pytest.raises(RuntimeError, match="pen broke"):
        write_shard(shard_path(tmp_path, 0), broken())
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path):
    # A limit on the file size raises the same OSError as a full disk does.
    script = f"""
import resource, signal, sys
import numpy as np
from training.shards import ShardError, shard_path, write_shard
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
try:
    write_shard(shard_path({str(tmp_path)!r}, 0), ((i, noise, {{}}) for i in range(50)))
except ShardError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "Could not write the shard" in done.stdout, done.stderr
    assert "Free some space" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert write_shard(shard_path(tmp_path, 0), _samples()) == 3


def test_damaged_shard_is_named(tmp_path):
    path = shard_path(tmp_path, 0)
    write_shard(path, _samples())
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ShardError, match=r"shard-00000\.tar"):
        list(read_shard(path))


def test_record_without_picture_is_refused(tmp_path):
    path = tmp_path / "shard-00000.tar"
    record = tmp_path / "00000000.json"
    record.write_text(json.dumps({"image": "00000000.jpg", "text": "A"}))
    with tarfile.open(path, "w") as tar:
        tar.add(record, arcname=record.name)
    with pytest.raises(ShardError, match="does not follow its picture"):
        list(read_shard(path))


def test_empty_folder_says_what_to_run(tmp_path):
    with pytest.raises(ShardError, match="python -m training synth"):
        list_shards(tmp_path)

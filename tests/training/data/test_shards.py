import io
import json
import os
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from training.data.shards import (
    ShardError,
    decode_picture,
    list_shards,
    picture_size,
    read_encoded,
    read_shard,
    shard_path,
    write_shard,
)


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
from training.data.shards import ShardError, shard_path, write_shard
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


def _flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def _without_digest(path):
    """Make a shard one of an earlier version; return where its members begin."""
    with tarfile.open(path) as tar:
        members = [(m, tar.extractfile(m).read()) for m in tar if m.name != "sha256.txt"]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    with tarfile.open(path) as tar:
        return [info.offset for info in tar]


@pytest.fixture
def shard(tmp_path):
    path = shard_path(tmp_path, 0)
    write_shard(path, _samples(9))
    return path


def test_no_changed_byte_is_taken(shard):
    size = shard.stat().st_size
    for offset in np.random.default_rng(0).integers(1024, size, 200).tolist():
        _flip(shard, offset)
        samples = read_encoded(shard)
        # refused before the first sample: half a shard is not trained on
        with pytest.raises(ShardError, match=r"shard-00000\.tar.*Delete it"):
            next(samples)
        _flip(shard, offset)
    assert len(list(read_shard(shard))) == 9


def test_an_overwritten_end_is_not_taken(shard):
    data = shard.read_bytes()
    with tarfile.open(shard) as tar:
        middle = tar.getmembers()[9].offset
    shard.write_bytes(data[:middle].ljust(len(data), b"\0"))
    with pytest.raises(ShardError, match="SHA-256 differs"):
        list(read_shard(shard))


def test_shards_of_earlier_versions_are_read(shard):
    now = list(read_encoded(shard))
    _without_digest(shard)
    assert list(read_encoded(shard)) == now
    assert len(now) == 9


def test_a_damaged_header_of_an_earlier_shard_is_found(shard):
    for offset in _without_digest(shard):
        _flip(shard, offset + 3)
        with pytest.raises(ShardError, match=r"Could not read the shard"):
            list(read_shard(shard))
        _flip(shard, offset + 3)
    assert len(list(read_shard(shard))) == 9


def test_an_overwritten_end_of_an_earlier_shard_is_found(shard):
    middle = _without_digest(shard)[2]
    data = shard.read_bytes()
    assert len(data) - middle > 2 * tarfile.RECORDSIZE
    shard.write_bytes(data[:middle].ljust(len(data), b"\0"))
    with pytest.raises(ShardError, match=f"member at byte {middle} is damaged"):
        list(read_shard(shard))


def test_record_without_picture_is_refused(tmp_path):
    path = tmp_path / "shard-00000.tar"
    record = tmp_path / "00000000.json"
    record.write_text(json.dumps({"image": "00000000.jpg", "text": "A"}))
    with tarfile.open(path, "w") as tar:
        tar.add(record, arcname=record.name)
    with pytest.raises(ShardError, match="not followed by its record"):
        list(read_shard(path))


def test_a_picture_without_its_record_is_refused(shard):
    last = _without_digest(shard)[-1]
    data = shard.read_bytes()[:last]
    shard.write_bytes(data + bytes(-len(data) % tarfile.RECORDSIZE))
    with pytest.raises(ShardError, match=r"00000008\.jpg is not followed by its record"):
        list(read_shard(shard))


@pytest.mark.parametrize("record", [b"[" * 200_000, b"[1]", b"{", b"\xff", b"9" * 5000])
def test_a_record_that_is_none_is_refused(tmp_path, record):
    path = shard_path(tmp_path, 0)
    with tarfile.open(path, "w") as tar:
        for name, data in (("0.jpg", b"x"), ("0.json", record)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with pytest.raises(ShardError, match=r"0\.json"):
        list(read_encoded(path))


def test_a_pipe_is_no_shard(tmp_path):
    os.mkfifo(shard_path(tmp_path, 0))
    with pytest.raises(ShardError, match="regular file"):
        list(read_shard(shard_path(tmp_path, 0)))


def test_an_empty_shard_is_refused(tmp_path):
    write_shard(shard_path(tmp_path, 0), [])
    with pytest.raises(ShardError, match="holds no sample"):
        list(read_shard(shard_path(tmp_path, 0)))


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0"])
def test_no_picture_is_said(data):
    with pytest.raises(ShardError, match="IMG is not a readable picture"):
        picture_size(data, "IMG")
    with pytest.raises(ShardError, match="IMG is not a readable picture"):
        decode_picture(data, "IMG")


def test_empty_folder_says_what_to_run(tmp_path):
    with pytest.raises(ShardError, match="python -m training synth"):
        list_shards(tmp_path)

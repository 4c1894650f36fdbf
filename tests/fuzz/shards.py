"""Damaged shards, half of them as earlier versions wrote them: all samples or a `ShardError`."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from tests.fuzz.mutations import FAULT, checked, mutate
from training.data.shards import ShardError, read_encoded, write_shard

SAMPLES = 20


def run(count: int, seed: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shard-00000.tar")
        noise = np.random.default_rng(seed).integers(0, 256, (SAMPLES, 32, 100, 3), np.uint8)
        write_shard(path, ((i, image, {"text": f"AB{i}"}) for i, image in enumerate(noise)))
        samples = list(read_encoded(path))
        whole = {True: path.read_bytes(), False: _without_digest(path)}
        for number in range(count):
            digest = number % 2 == 0
            path.write_bytes(mutate(whole[digest], np.random.default_rng((seed, number))))
            kind = "with a digest" if digest else "without a digest"
            outcomes[f"{kind}: {outcome(path, samples, digest)}"] += 1
    return checked(outcomes)


def outcome(path: Path, samples: list[tuple[bytes, dict]], digest: bool) -> str:
    """Return what reading a damaged shard of these samples came to."""
    try:
        found = list(read_encoded(path))
    except ShardError:
        return "refused"
    except Exception as error:
        return f"{FAULT}: {type(error).__name__}"
    if found == samples:
        return "all samples"
    names = [record.get("image") for _, record in found]
    # what stands inside the members, nothing but a digest can tell
    if not digest and names == [record["image"] for _, record in samples]:
        return "all samples, one of them changed"
    return f"{FAULT}: {len(found)} of {len(samples)} samples, or other ones"


def _without_digest(path: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=content, mode="w") as new:
        for info in old.getmembers()[1:]:
            new.addfile(info, old.extractfile(info))
    return content.getvalue()

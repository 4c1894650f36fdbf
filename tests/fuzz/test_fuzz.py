"""The fuzz, shortened: `make fuzz` runs it in full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sdk.model.bundle import DEFAULT_BUNDLE
from tests.fuzz import shards
from tests.fuzz.__main__ import PARTS
from tests.fuzz.mutations import FAULT, checked
from tests.fuzz.opening import READ, opener
from training.data.shards import read_encoded, shard_path, write_shard

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("part", PARTS)
def test_no_mutant_is_a_fault(part: str) -> None:
    count = str(PARTS[part][1])
    command = [sys.executable, "-m", "tests.fuzz", part, "--count", count, "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{part}: {count} mutants, seed 7" in done.stdout


def test_a_lost_sample_is_a_fault(tmp_path: Path) -> None:
    path = shard_path(tmp_path, 0)
    write_shard(path, [(i, np.zeros((32, 40, 3), np.uint8), {"text": "A"}) for i in range(2)])
    samples = list(read_encoded(path))
    assert shards.outcome(path, samples, digest=True) == "all samples"
    lost = shards.outcome(path, [*samples, samples[0]], digest=True)
    assert FAULT in lost
    with pytest.raises(AssertionError, match="samples, or other ones"):
        checked(Counter({"refused": 3, lost: 1}))


def test_a_crash_is_told_apart_and_the_next_bundle_opened(tmp_path: Path) -> None:
    with opener(tmp_path) as opening:
        assert opening.outcome(DEFAULT_BUNDLE) == READ
        assert opening.outcome(tmp_path) == "refused by ModelError"
        os.kill(opening.process, signal.SIGSEGV)
        assert opening.outcome(DEFAULT_BUNDLE) == "the interpreter crashes (SIGSEGV)"
        assert opening.outcome(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "copy")) == READ

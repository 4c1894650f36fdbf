from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from convert.errors import ConvertError
from convert.source.graphs import GRAPHS, freeze
from convert.tflite.conversion import Conversion, convert_apart


def test_failure_of_the_converter_is_reported(tmp_path: Path) -> None:
    # An operation that TFLite does not have.
    features = keras.Input((8, 16, 2), name="features")
    model = keras.Model(features, keras.ops.erfinv(features))
    freeze(model, GRAPHS["recognizer"], (1, 8, 16, 2), tmp_path / "saved", normalized=True)
    target = tmp_path / "out.tflite"
    with pytest.raises(ConvertError, match=r"out to fp32 failed.*(?s:.*)Erfinv"):
        convert_apart(Conversion(tmp_path / "saved", target, "fp32", False))
    assert not target.exists()


def test_crash_of_the_converter_is_reported(models: dict[str, Any], tmp_path: Path) -> None:
    shape = (1, 8, 16, 16)
    freeze(models["recognizer"], GRAPHS["recognizer"], shape, tmp_path / "saved", normalized=True)
    np.save(tmp_path / "samples.npy", np.zeros((5000, 8, 16, 16), np.float32))
    target = tmp_path / "out.tflite"
    job = Conversion(tmp_path / "saved", target, "int8", False, tmp_path / "samples.npy")
    with ThreadPoolExecutor() as pool:
        conversion = pool.submit(convert_apart, job)
        while not (children := multiprocessing.active_children()):
            assert not conversion.done()
        os.kill(children[0].pid or 0, signal.SIGSEGV)
        with pytest.raises(ConvertError, match=r"out to int8 failed: .* crashed \(SIGSEGV\)"):
            conversion.result()
    assert not target.exists()
    assert not list(tmp_path.glob(".*"))

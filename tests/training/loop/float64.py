"""``python -m tests.training.loop.float64 fit …``: training as ever, but computed in float64.

What Keras is asked to hold or compute in float32 becomes float64, so that rounding, and what
training makes of it, is smaller by nine digits. For JAX.
"""

import sys

import jax
import keras
from keras.src.backend.common import dtypes

from training.cli import main


def compute_in_float64() -> None:
    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    # by which Keras looks up each dtype that it is given
    dtypes.PYTHON_DTYPES_MAP.update({"float32": "float64", float: "float64"})


if __name__ == "__main__":
    compute_in_float64()
    sys.exit(main())

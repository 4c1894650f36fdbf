"""Import of Keras without TensorFlow's messages, and errors for missing packages."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

__all__ = ["MISSING", "load_keras", "missing_package"]

MISSING = 3
"""Exit code of a command whose packages are not installed."""

# The other backends of Keras are in no extra.
_IN_EXTRAS = ("keras", "tensorboard", "tensorflow", "tensorflow_model_optimization", "tf_keras")
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def load_keras() -> None:
    """Import Keras and its backend without TensorFlow's messages on missing GPUs.

    If TF_CPP_MIN_LOG_LEVEL is in the environment, TensorFlow writes as that variable says.

    Raises:
        ModuleNotFoundError: Keras or its backend is not installed.
    """
    if _LEVEL in os.environ:
        import keras
    else:
        os.environ[_LEVEL] = "2"
        with _native_messages_held_back():
            import keras

            if keras.backend.backend() == "tensorflow":
                keras.ops.zeros(1)  # the first operation searches for devices


@contextlib.contextmanager
def _native_messages_held_back() -> Iterator[None]:
    """Hold standard error back, including that of native code; write it if the block fails."""
    try:
        shown = os.dup(2)
    except OSError:  # closed
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(shown, kept.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def missing_package(error: ModuleNotFoundError, extra: str) -> str:
    """Return a message of one line on the package to install.

    Args:
        error: The error of the import.
        extra: The extra of this project with the packages of the command.

    Raises:
        ModuleNotFoundError: The error itself, if a module of this package is missing.
    """
    name = (error.name or "").partition(".")[0]
    if name in ("", "sdk", "training", "convert"):
        raise error
    what = f'".[{extra}]"' if name in _IN_EXTRAS else name
    return f"The package {name} is not installed. Install it: pip install {what}"

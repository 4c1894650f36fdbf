"""The start of a command that needs Keras: without noise, and with a word on what is missing."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

__all__ = ["MISSING", "load_keras", "missing_package"]

MISSING = 3
"""Exit code of a command whose packages are not installed."""

# The other backends of Keras are no part of an extra.
_IN_EXTRAS = ("keras", "tensorboard", "tensorflow", "tensorflow_model_optimization", "tf_keras")
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def load_keras() -> None:
    """Import Keras and its backend without what TensorFlow says of GPUs that are not there.

    With TF_CPP_MIN_LOG_LEVEL in the environment, which is TensorFlow's own setting, all is shown.

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
                keras.ops.zeros(1)  # it looks for devices when it is first used


@contextlib.contextmanager
def _native_messages_held_back() -> Iterator[None]:
    """Keep standard error, Python's and that of libraries, to show it if the block fails."""
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
    """Return one line on what to install for a command.

    Args:
        error: What an import raised.
        extra: The extra of this package that brings what its commands import.

    Raises:
        ModuleNotFoundError: The error itself, if a module of this package is missing.
    """
    name = (error.name or "").partition(".")[0]
    if name in ("", "sdk", "training", "convert"):
        raise error
    what = f'".[{extra}]"' if name in _IN_EXTRAS else name
    return f"The package {name} is not installed. Install it: pip install {what}"

"""SavedModels of one function, the converter's input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.source.graphs import GraphKind

__all__ = ["save_function"]


def save_function(
    serve: Callable[[Any], dict[str, Any]], spec: Any, kept: Any, kind: GraphKind, folder: Path
) -> None:
    """Write a function as a SavedModel.

    Args:
        serve: Returns the outputs by name.
        spec: ``tf.TensorSpec`` of its input.
        kept: What holds the function's variables.
        kind: Contract of the graph.
        folder: Folder of the SavedModel.

    Raises:
        ConvertError: TensorFlow could not write the model.
    """
    import tensorflow as tf

    module = tf.Module()
    module.kept = kept
    try:
        function = tf.function(serve, autograph=False, input_signature=[spec])
        tf.saved_model.save(module, str(folder), signatures={"serving_default": function})
    except (OSError, tf.errors.OpError) as error:
        raise ConvertError(
            f"Could not write the frozen {kind.name} model: {error}\nCheck that {folder.parent} is "
            "writable and has space."
        ) from error

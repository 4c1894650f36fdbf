"""What every engine can do, whatever it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Engine"]


class Engine(Protocol):
    """Runs one graph. Calls from several threads are safe; they run one after the other."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run the graph.

        Args:
            inputs: Arrays by name. An array of the tensor's own dtype is taken as it is, a float
                array for a quantized tensor is quantized.

        Returns:
            float32 outputs by name, dequantized.

        Raises:
            OptionError: A name, dtype or shape does not fit.
            SdkError: The engine is closed.
        """

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, threads and file as plain values."""

    def close(self) -> None:
        """Free the interpreter; the engine cannot run any more."""

"""The interface of all engines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["Engine"]


class Engine(Protocol):
    """Runs one graph. Calls from several threads are safe, most engines run one at a time."""

    def run(
        self, inputs: Mapping[str, NDArray[Any]], raw: Collection[str] = ()
    ) -> dict[str, NDArray[Any]]:
        """Run the graph.

        Args:
            inputs: Arrays by name. An array of the tensor's own dtype is not converted. A float
                array for a quantized tensor is quantized.
            raw: Names of the outputs to return in the tensor's own dtype.

        Returns:
            Outputs by name. Outputs that are not raw are dequantized float32.

        Raises:
            ModelError: The interpreter cannot run the graph in this shape, or the output is not
                finite.
            OptionError: A name, dtype or shape does not fit.
            SdkError: The engine is closed.
        """

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, threads and file as plain values."""

    def close(self) -> None:
        """Free the interpreter. The engine cannot run afterwards."""

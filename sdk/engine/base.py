"""What every engine can do, whatever it runs on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["Engine"]


class Engine(Protocol):
    """Runs one graph. Calls from several threads are safe; most engines run one at a time."""

    def run(
        self, inputs: Mapping[str, NDArray[Any]], raw: Collection[str] = ()
    ) -> dict[str, NDArray[Any]]:
        """Run the graph.

        Args:
            inputs: Arrays by name. An array of the tensor's own dtype is taken as it is, a float
                array for a quantized tensor is quantized.
            raw: Names of outputs that are wanted as they are, in the tensor's dtype.

        Returns:
            Outputs by name, but for the raw ones float32, dequantized.

        Raises:
            ModelError: The interpreter cannot run the graph in this shape, or it gives no numbers.
            OptionError: A name, dtype or shape does not fit.
            SdkError: The engine is closed.
        """

    def describe(self) -> dict[str, Any]:
        """Return interpreter, device, threads and file as plain values."""

    def close(self) -> None:
        """Free the interpreter; the engine cannot run any more."""

"""The tensor contract: names and shapes of the inputs and outputs of each graph in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sdk.model.faults import wrong

if TYPE_CHECKING:
    from sdk.model.manifest import GraphSpec

__all__ = ["GRAPHS", "check_graphs"]

GRAPHS = ("detector", "recognizer", "line")
"""Roles of the graphs that a variant may have. Every variant has "line"."""

# Name and shape of the only input; 0 stands for any number.
_INPUTS = {
    "detector": ("image", (1, 0, 0, 3)),
    "recognizer": ("features", (1, 8, 0, 0)),
    "line": ("strip", (1, 32, 0, 3)),
}
# Frame pixels per map cell, and line crop pixels per column of logits.
_STRIDE = 4


def check_graphs(graphs: Mapping[str, GraphSpec], classes: int) -> None:
    """Check the inputs and outputs of the graphs of a variant.

    Args:
        graphs: Graphs by role.
        classes: Number of classes of the charset.

    Raises:
        ModelError: A tensor is missing, or its shape does not fit the other tensors.
    """
    for role, spec in graphs.items():
        name, shape = _INPUTS[role]
        names = [tensor.name for tensor in spec.inputs]
        if names != [name]:
            raise wrong(f"inputs of {spec.file}", names, f'the one named "{name}"')
        found = spec.inputs[0].shape
        if len(found) != len(shape) or any(
            wanted not in (0, n) for wanted, n in zip(shape, found, strict=True)
        ):
            said = ", ".join(str(n or "any") for n in shape)
            raise wrong(f"shape of {name} of {spec.file}", list(found), f"[{said}]")
        for output, wanted in _outputs(role, found, classes).items():
            given = spec.output(output).shape
            if given != wanted:
                what = f"shape of {output} of {spec.file}"
                known = f"{name} {list(found)} and {classes - 1} characters"
                raise wrong(what, list(given), f"{list(wanted)}, for {known}")
    if "recognizer" in graphs:
        features = graphs["detector"].output("features").shape
        taken = graphs["recognizer"].inputs[0].shape[-1]
        if features[-1:] != (taken,) or len(features) != 4:
            raise wrong("features", list(features), f"4 numbers, {taken} the last")


def _outputs(role: str, taken: tuple[int, ...], classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes that a graph's outputs must have for the shape of its input."""
    _, height, width, _ = taken
    if role == "recognizer":
        return {"logits": (1, 1, width, classes)}
    if role == "line":
        return {"logits": (1, 1, width // _STRIDE, classes)}
    cells = (1, height // _STRIDE, width // _STRIDE)
    channels = {"score": 1, "vertical": 2, "horizontal": 2, "angle": 2}
    return {name: (*cells, count) for name, count in channels.items()}

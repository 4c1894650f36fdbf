"""Imports between the rooms (folders) of training and convert form no circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def rooms_imported(root: Path, package: str) -> dict[str, set[str]]:
    """Return, for each room of a package, the rooms that its modules import, lazily too."""
    graph: dict[str, set[str]] = {}
    for path in (root / package).rglob("*.py"):
        room = _room(path.relative_to(root).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                continue
            for module in modules:
                parts = tuple(module.split("."))
                if parts[0] == package and (other := _room(parts)) != room:
                    graph.setdefault(room, set()).add(other)
    return graph


def _room(parts: tuple[str, ...]) -> str:
    """Return the folder in a package, or the module at its top."""
    return ".".join(parts[:2]) if len(parts) > 1 else parts[0]


@pytest.mark.parametrize("package", ["training", "convert"])
def test_rooms_import_each_other_in_one_direction(package: str) -> None:
    graph = rooms_imported(ROOT, package)
    assert len(graph) > 3, f"{package} has no rooms to check"
    tuple(TopologicalSorter(graph).static_order())


def test_a_circle_is_found(tmp_path: Path) -> None:
    for name, source in (
        ("data/shards.py", "def f():\n    from training.models import fots"),
        ("models/fots.py", "from training.data.shards import f"),
    ):
        path = tmp_path / "training" / name
        path.parent.mkdir(parents=True)
        path.write_text(source, encoding="utf-8")
    with pytest.raises(CycleError):
        tuple(TopologicalSorter(rooms_imported(tmp_path, "training")).static_order())

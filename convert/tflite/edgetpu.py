"""Graphs for Coral's Edge TPU: checked without its compiler, and compiled with it.

The compiler is a closed program for x86-64 Linux that may not be passed on, so the check stands
alone: it tells operation by operation what would stay on the CPU. Without its option ``-a`` the
compiler makes one piece for the accelerator: from the first operation that it leaves on, all that
follows stays on the CPU too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.folder import built_beside
from convert.tflite.inspect import Graph, inspect_file
from convert.tflite.targets import edgetpu_reason
from sdk.errors import SdkError
from sdk.model.bundle import Bundle, write_manifest
from sdk.model.manifest import GraphSpec

__all__ = [
    "COMPILER",
    "HOW_TO_INSTALL",
    "VARIANT",
    "Left",
    "check",
    "check_table",
    "compile_bundle",
    "parse_report",
]

COMPILER = "edgetpu_compiler"

VARIANT = "edgetpu"
"""Variant of a bundle that holds the compiled graphs."""

HOW_TO_INSTALL = f"""\
{COMPILER} is not installed, so nothing was compiled. It comes from Google alone, for x86-64 Linux:
  sudo mkdir -p /etc/apt/keyrings
  curl https://packages.cloud.google.com/apt/doc/apt-key.gpg | sudo tee /etc/apt/keyrings/coral.asc
  echo "deb [signed-by=/etc/apt/keyrings/coral.asc] https://packages.cloud.google.com/apt \\
coral-edgetpu-stable main" | sudo tee /etc/apt/sources.list.d/coral-edgetpu.list
  sudo apt-get update && sudo apt-get install edgetpu-compiler
Then run the same command again."""

# The greatest result of a resize that is known to have been compiled, in cells a side.
_LARGEST_RESIZE = 48

_ROW = re.compile(r"^(\w[\w-]*)\s+(\d+)\s+(\S.*?)\s*$")
_FIELDS = {
    "version": r"Edge TPU Compiler version (\S+)",
    "subgraphs": r"Number of Edge TPU subgraphs: (\d+)",
    "operations": r"Total number of operations: (\d+)",
    "on_chip": r"On-chip memory used for caching model parameters: (\S+)",
    "on_chip_left": r"On-chip memory remaining for caching model parameters: (\S+)",
    "off_chip": r"Off-chip memory used for streaming uncached model parameters: (\S+)",
}
_MAPPED = "Mapped to Edge TPU"
_SECONDS = 3600


@dataclass(frozen=True)
class Left:
    """An operation that would stay on the CPU.

    Attributes:
        number: Its position in the graph.
        name: The operation.
        shape: Of its result.
        reason: Why.
    """

    number: int
    name: str
    shape: tuple[int, ...]
    reason: str


def check(graph: Graph) -> list[Left]:
    """Return the operations of a graph that would stay on the CPU, in order."""
    left, cut = [], False
    for number, op in enumerate(graph.ops):
        reason = edgetpu_reason(op)
        if reason or cut:
            follows = "it follows an operation that stays on the CPU"
            left.append(Left(number, op.name, op.shape, reason or follows))
        cut = cut or bool(reason)
    return left


def doubts(graph: Graph) -> list[str]:
    """Return what the compiler may still refuse, though every operation is one that it has."""
    resized = [op.shape for op in graph.ops if op.name.startswith("RESIZE")]
    largest = max((max(shape[1:3]) for shape in resized), default=0)
    if largest <= _LARGEST_RESIZE:
        return []
    return [
        f"resizes to {largest} cells a side; {_LARGEST_RESIZE} is the most that is known to have "
        "been mapped. If the compiler refuses it, export with a smaller --frame."
    ]


def check_table(graph: Graph) -> str:
    """Return what would run where as readable lines."""
    left = check(graph)
    lines = [f"{graph.file}: {len(graph.ops) - len(left)} of {len(graph.ops)} operations mapped"]
    lines += [
        f"  {o.number:>4} {o.name:<26}{'x'.join(map(str, o.shape)):<18}CPU: {o.reason}"
        for o in left
    ]
    return "\n".join(lines + [f"  note: {doubt}" for doubt in doubts(graph)])


def parse_report(text: str) -> dict[str, Any]:
    """Return the compiler's report as plain values.

    Args:
        text: What it printed, or its log file.

    Returns:
        ``version``, ``subgraphs``, ``operations``, ``on_chip``, ``on_chip_left`` and ``off_chip``
        as far as they are there, and ``rows``: operation, count and status.

    Raises:
        ConvertError: There is no table of operations in it.
    """
    report: dict[str, Any] = {}
    for name, pattern in _FIELDS.items():
        found = re.search(pattern, text)
        if found:
            report[name] = int(found[1]) if found[1].isdigit() else found[1]
    _, header, table = text.partition("Operator ")
    rows = [match for line in table.splitlines()[1:] if (match := _ROW.match(line))]
    if not header or not rows:
        raise ConvertError(
            f"The report of {COMPILER} has no table of operations. It begins:\n  {text[:400]}"
        )
    report["rows"] = [{"op": m[1], "count": int(m[2]), "status": m[3]} for m in rows]
    return report


def compile_bundle(source: Path, target: Path, variant: str, force: bool) -> dict[str, Any]:
    """Write a bundle with a further variant, compiled for the Edge TPU.

    Args:
        source: The bundle to compile.
        target: The bundle to write, whole or not at all; may be the source.
        variant: Variant to compile, one of integers.
        force: Whether an existing bundle may be replaced.

    Returns:
        The compiler's reports by graph.

    Raises:
        ConvertError: The bundle is damaged, the compiler is missing or fails, or the target cannot
            be written.
    """
    program = shutil.which(COMPILER)
    if program is None:
        raise ConvertError(HOW_TO_INSTALL)
    try:
        bundle = Bundle.open(source, variant)
    except SdkError as error:
        raise ConvertError(str(error)) from error
    with built_beside(target, force=force) as folder:
        for path in bundle.folder.iterdir():
            shutil.copy(path, folder / path.name)
        reports, graphs = {}, {}
        for role in bundle.roles:
            graph = bundle.graph(role)
            reports[role] = _compile(program, graph.path, folder)
            graphs[role] = _compiled(graph.spec, folder / f"{graph.path.stem}_edgetpu.tflite")
        manifest = bundle.manifest
        changed = replace(
            manifest,
            variants={**manifest.variants, VARIANT: graphs},
            training={**manifest.training, "edgetpu": {"variant": variant, "reports": reports}},
        )
        try:
            write_manifest(folder, changed)
        except SdkError as error:
            raise ConvertError(str(error)) from error
    return reports


def _compile(program: str, path: Path, folder: Path) -> dict[str, Any]:
    """Compile one graph; returns the report."""
    try:
        done = subprocess.run(
            [program, "-s", "-o", str(folder), str(path)],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConvertError(f"{program} did not run on {path.name}: {error}") from error
    said = f"{done.stdout}\n{done.stderr}".strip()
    compiled = folder / f"{path.stem}_edgetpu.tflite"
    if done.returncode or not compiled.is_file():
        raise ConvertError(
            f"{COMPILER} could not compile {path.name} (exit code {done.returncode}). It said:\n"
            f"  {said[-800:] or 'nothing'}\nExport with a smaller --frame, or see what stays on "
            "the CPU with: python -m convert edgetpu --check-only"
        )
    log = folder / f"{path.stem}_edgetpu.log"
    report = parse_report(done.stdout if "Operator " in done.stdout else _read(log))
    log.unlink(missing_ok=True)
    return report


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _compiled(spec: GraphSpec, path: Path) -> GraphSpec:
    """Return the entry of a compiled file: the tensors of the graph it came from."""
    graph = inspect_file(path)
    for before, after in ((spec.inputs, graph.inputs), (spec.outputs, graph.outputs)):
        if [(t.shape, t.dtype) for t in before] != [(t.shape, t.dtype) for t in after]:
            raise ConvertError(
                f"{path.name} has other inputs or outputs than {spec.file}; it is not used."
            )
    return GraphSpec.of_file(path, spec.inputs, spec.outputs)


def mapped_share(report: Mapping[str, Any]) -> float:
    """Return the share of operations that a compiler's report says are mapped."""
    rows = report["rows"]
    mapped = sum(row["count"] for row in rows if row["status"] == _MAPPED)
    return float(mapped / sum(row["count"] for row in rows))


def check_record(graphs: list[Graph]) -> list[dict[str, Any]]:
    """Return the check of graphs as plain values for JSON."""
    return [
        {
            "file": graph.file,
            "operations": len(graph.ops),
            "left": [asdict(o) for o in check(graph)],
            "notes": doubts(graph),
        }
        for graph in graphs
    ]

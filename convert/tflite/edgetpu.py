"""Graphs for Coral's Edge TPU: a check without the compiler, and the call of the compiler.

The compiler is a closed program for x86-64 Linux that must not be redistributed, so the check works
without it: the check lists the operations that would stay on the CPU. Without its option ``-a`` the
compiler creates one segment for the accelerator: after the first unsupported operation, all
operations stay on the CPU.
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
    "UnmappedOp",
    "check",
    "check_table",
    "compile_bundle",
    "parse_report",
]

COMPILER = "edgetpu_compiler"

VARIANT = "edgetpu"
"""Variant of a bundle with the compiled graphs."""

HOW_TO_INSTALL = f"""\
{COMPILER} is not installed, so nothing was compiled. It comes from Google alone, for x86-64 Linux:
  sudo mkdir -p /etc/apt/keyrings
  curl https://packages.cloud.google.com/apt/doc/apt-key.gpg | sudo tee /etc/apt/keyrings/coral.asc
  echo "deb [signed-by=/etc/apt/keyrings/coral.asc] https://packages.cloud.google.com/apt \\
coral-edgetpu-stable main" | sudo tee /etc/apt/sources.list.d/coral-edgetpu.list
  sudo apt-get update && sudo apt-get install edgetpu-compiler
Then run the same command again."""

# Greatest side of an upsampled map in published compiled models, in cells.
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
class UnmappedOp:
    """An operation that would stay on the CPU.

    Attributes:
        number: Position in the graph.
        name: Name of the operation.
        shape: Shape of its output.
        reason: Reason for which the operation stays on the CPU.
    """

    number: int
    name: str
    shape: tuple[int, ...]
    reason: str


def check(graph: Graph) -> list[UnmappedOp]:
    """Return the operations of a graph that would stay on the CPU, in order."""
    left, split = [], False
    for number, op in enumerate(graph.ops):
        reason = edgetpu_reason(op)
        if reason or split:
            follows = "it follows an operation that stays on the CPU"
            left.append(UnmappedOp(number, op.name, op.shape, reason or follows))
        split = split or bool(reason)
    return left


def doubts(graph: Graph) -> list[str]:
    """Return reasons for which the compiler may refuse a graph of supported operations."""
    resized = [op.shape for op in graph.ops if op.name.startswith("RESIZE")]
    largest = max((max(shape[1:3]) for shape in resized), default=0)
    if largest <= _LARGEST_RESIZE:
        return []
    return [
        f"upsamples to {largest} cells a side; published compiled models have at most "
        f"{_LARGEST_RESIZE}. If the compiler refuses the graph, export with a smaller --frame."
    ]


def check_table(graph: Graph) -> str:
    """Return the check of a graph as text."""
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
        text: Output or log file of the compiler.

    Returns:
        ``version``, ``subgraphs``, ``operations``, ``on_chip``, ``on_chip_left`` and ``off_chip``
        if present, and ``rows``: operation, count and status.

    Raises:
        ConvertError: The report has no table of operations.
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
    """Write a bundle with an additional variant, compiled for the Edge TPU.

    Args:
        source: The bundle to compile.
        target: The bundle to write, atomically; may be the source.
        variant: Integer variant to compile.
        force: Whether an existing bundle may be replaced.

    Returns:
        Reports of the compiler by graph.

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
    """Compile one graph and return the report."""
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
            f"{COMPILER} could not compile {path.name} (exit code {done.returncode}). Its output:\n"
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
    """Return the manifest entry of a compiled file, with the tensors of its source graph."""
    graph = inspect_file(path)
    for before, after in ((spec.inputs, graph.inputs), (spec.outputs, graph.outputs)):
        if [(t.shape, t.dtype) for t in before] != [(t.shape, t.dtype) for t in after]:
            raise ConvertError(
                f"{path.name} has other inputs or outputs than {spec.file}; it is not used."
            )
    return GraphSpec.of_file(path, spec.inputs, spec.outputs)


def mapped_share(report: Mapping[str, Any]) -> float:
    """Return the share of mapped operations in a compiler's report."""
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

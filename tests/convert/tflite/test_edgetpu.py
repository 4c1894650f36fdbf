from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from convert.__main__ import main
from convert.errors import ConvertError
from convert.tflite.edgetpu import VARIANT, check, check_table, doubts, mapped_share, parse_report
from convert.tflite.inspect import inspect_file
from sdk.charset import DEFAULT_CHARSET
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle, write_manifest
from sdk.model.manifest import GraphSpec, Manifest
from tests.convert.interruptions import content

Converted = Callable[[str, str], Path]

ROOT = Path(__file__).parents[3]

REPORT = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 1137 ms.

Input model: line-int8.tflite
Input size: 617.24KiB
Output model: line-int8_edgetpu.tflite
Output size: 870.00KiB
On-chip memory used for caching model parameters: 756.25KiB
On-chip memory remaining for caching model parameters: 6.95MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 27
Operation log: line-int8_edgetpu.log

Operator                       Count      Status

ADD                            7          Mapped to Edge TPU
CONV_2D                        13         Mapped to Edge TPU
CONV_2D                        1          More than one subgraph is not supported
DEPTHWISE_CONV_2D              5          Mapped to Edge TPU
QUANTIZE                       1          Operation is otherwise supported, but not mapped due to \
some unspecified limitation
"""

# Stands for Google's compiler: takes its options, copies the graph, prints a report.
COMPILER = """\
#!/bin/sh
out=.
while [ $# -gt 1 ]; do
    case $1 in -o) out=$2; shift 2;; *) shift;; esac
done
stem=$(basename "$1" .tflite)
echo compiling
{body}
"""
COPIES = 'cp "$1" "$out/${stem}_edgetpu.tflite"; cat "$0.report"'


@pytest.fixture
def bundle(converted: Converted, tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    path = folder / "line-int8.tflite"
    shutil.copy(converted("line", "int8"), path)
    graph = inspect_file(path)
    spec = GraphSpec.of_file(path, graph.inputs, graph.outputs)
    variants = {"int8": {"line": spec}}
    manifest = Manifest("small", "1", "2026-01-01", DEFAULT_CHARSET, "int8", variants)
    write_manifest(folder, manifest)
    return folder


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def install(body: str) -> None:
        program = folder / "edgetpu_compiler"
        program.write_text(COMPILER.replace("{body}", body))
        program.chmod(0o755)
        (folder / "edgetpu_compiler.report").write_text(REPORT)

    return install


def test_shipped_graphs_pass() -> None:
    shipped = Bundle.open(DEFAULT_BUNDLE, "int8")
    for role in shipped.roles:
        assert check(inspect_file(shipped.graph(role).path)) == []


def test_all_after_the_first_that_stays_stays_too(converted: Converted) -> None:
    graph = inspect_file(converted("line", "int8"))
    assert check(graph) == []
    ops = list(graph.ops)
    ops[5] = replace(ops[5], version=99)
    left = check(replace(graph, ops=tuple(ops)))
    assert [o.number for o in left] == list(range(5, len(ops)))
    assert left[0].reason.startswith("version 99")
    assert left[1].reason == "it follows an operation that stays on the CPU"
    text = check_table(replace(graph, ops=tuple(ops)))
    assert text.startswith(f"{graph.file}: 5 of {len(ops)} operations mapped")


def test_unusually_large_resizes_are_told(converted: Converted) -> None:
    graph = inspect_file(converted("detector", "int8"))
    assert doubts(graph) == []
    large = [
        replace(op, shape=(1, 160, 160, 8)) if op.name == "RESIZE_BILINEAR" else op
        for op in graph.ops
    ]
    assert "upsamples to 160 cells" in check_table(replace(graph, ops=tuple(large)))


def test_report_of_the_compiler_is_understood() -> None:
    report = parse_report(REPORT)
    assert report["version"] == "16.0.384591198"
    assert report["subgraphs"] == 1
    assert report["operations"] == 27
    assert report["on_chip"] == "756.25KiB"
    assert report["on_chip_left"] == "6.95MiB"
    assert report["off_chip"] == "0.00B"
    assert [row["count"] for row in report["rows"]] == [7, 13, 1, 5, 1]
    assert report["rows"][2] == {
        "op": "CONV_2D",
        "count": 1,
        "status": "More than one subgraph is not supported",
    }
    assert report["rows"][4]["status"].endswith("some unspecified limitation")
    assert mapped_share(report) == pytest.approx(25 / 27)


@pytest.mark.parametrize("text", ["", "Internal compiler error. Aborting!", "Operator Count\n"])
def test_text_without_a_table_is_refused(text: str) -> None:
    with pytest.raises(ConvertError, match="no table of operations"):
        parse_report(text)


def test_command_checks_and_compiles(
    bundle: Path,
    compiler: Callable[[str], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    compiler(COPIES)
    before = content(bundle)
    target = tmp_path / "compiled"
    assert main(["edgetpu", str(bundle), "--out", str(target)]) == 0
    out = capsys.readouterr().out
    count = len(inspect_file(bundle / "line-int8.tflite").ops)
    assert f"line-int8.tflite: {count} of {count} operations mapped" in out
    assert "line: 93% of the operations mapped by the compiler" in out
    assert content(bundle) == before
    opened = Bundle.open(target, VARIANT)
    spec = opened.manifest.variants[VARIANT]["line"]
    assert spec.file == "line-int8_edgetpu.tflite"
    assert spec.inputs == opened.manifest.variants["int8"]["line"].inputs
    record = opened.manifest.training["edgetpu"]
    assert record["variant"] == "int8"
    assert record["reports"]["line"]["version"] == "16.0.384591198"
    arguments = ["edgetpu", str(bundle), "--out", str(target), "--json"]
    assert main(arguments) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)[0]["left"] == []
    assert "line: 93% of the operations mapped" in captured.err
    # in place
    assert main(["edgetpu", str(bundle)]) == 0
    assert set(Bundle.open(bundle).manifest.variants) == {"int8", VARIANT}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo 'Internal compiler error. Aborting!' >&2; exit 1", "Internal compiler error"),
        ("exit 0", "could not compile"),
        ("kill -SEGV $$", "exit code -11"),
        ('cp "$1" "$out/${stem}_edgetpu.tflite"', "no table of operations"),
        ('echo x > "$out/${stem}_edgetpu.tflite"; cat "$0.report"', "not a TFLite model"),
    ],
)
def test_failing_compiler_leaves_the_bundle(
    bundle: Path,
    compiler: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    body: str,
    message: str,
) -> None:
    compiler(body)
    before = content(bundle)
    assert main(["edgetpu", str(bundle)]) == 1
    assert message in capsys.readouterr().err
    assert content(bundle) == before
    assert not list(bundle.parent.glob(".bundle*"))


def test_kill_while_compiling_leaves_the_bundle(
    bundle: Path, compiler: Callable[[str], None]
) -> None:
    compiler("echo half > $out/${stem}_edgetpu.tflite; echo $$ > $0.pid; exec sleep 60")
    before = content(bundle)
    pid = Path(shutil.which("edgetpu_compiler") or "").with_suffix(".pid")
    with subprocess.Popen(
        [sys.executable, "-m", "convert", "edgetpu", str(bundle)], cwd=ROOT
    ) as process:
        while not (pid.exists() and pid.read_text().strip()):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert content(bundle) == before


def test_missing_compiler_says_how_to_get_it(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(bundle))
    before = content(bundle)
    assert main(["edgetpu", str(bundle)]) == 1
    error = capsys.readouterr().err
    assert "apt-get install edgetpu-compiler" in error
    assert "coral-edgetpu-stable" in error
    assert content(bundle) == before


def test_check_alone_needs_no_compiler(
    converted: Converted, capsys: pytest.CaptureFixture[str]
) -> None:
    path = converted("line", "int8")
    assert main(["edgetpu", str(path), "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["left"] == []
    assert main(["edgetpu", str(converted("line", "fp32"))]) == 1
    assert "CPU: " in capsys.readouterr().out
    assert main(["edgetpu", str(DEFAULT_BUNDLE), "--variant", "int4"]) == 1
    assert "no variant 'int4'" in capsys.readouterr().err

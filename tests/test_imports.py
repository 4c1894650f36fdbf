"""Who may import whom: the runtime stays small, and the four packages stay in order."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INTERPRETERS = {"ai_edge_litert", "tflite_runtime"}
TRAINERS = {"tensorflow", "keras", "tf_keras", "tensorflow_model_optimization", "jax", "torch"}
PACKAGES = {"sdk", "training", "convert", "demo_app"}

# The runtime lists what it may import; the others list what they may not.
# tomli is the tomllib of Python 3.10.
SDK_ALLOWED = set(sys.stdlib_module_names) | {"sdk", "numpy", "PIL", "cv2", "tomli"}
# Optional packages, each in the one file that imports it where it is used.
SDK_OPTIONAL = {
    "sdk/live/camera/basler.py": "pypylon",
    "sdk/live/camera/picamera.py": "picamera2",
    "sdk/image/pdf.py": "pypdfium2",
    "sdk/pyinstaller/hook-ai_edge_litert.py": "PyInstaller",
    "sdk/pyinstaller/hook-sdk.py": "PyInstaller",
    "sdk/station/outputs/gpio.py": "gpiozero",
    "sdk/station/outputs/modbus.py": "pymodbus",
    "sdk/station/outputs/mqtt.py": "paho",
}
# Rooms that come with an extra, and what it brings.
SDK_ROOMS = {
    "sdk/bulk/": {"fsspec", "pyarrow"},
    "sdk/cluster/": {"ray"},
    "sdk/serve/": {"prometheus_client", "python_multipart", "starlette", "uvicorn"},
}
FORBIDDEN = {
    "training": {
        "convert",
        "demo_app",
        "kivy",
        "tf_keras",
        "tensorflow_model_optimization",
    },
    "convert": {"demo_app", "kivy", "torch"},
    "demo_app": TRAINERS | INTERPRETERS | {"training", "convert"},
}
# A box with JAX or PyTorch and no TensorFlow trains too: a backend is imported where it is used.
BACKENDS = {"tensorflow", "jax", "torch"}


def imported_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yields (top-level name, line) of every absolute import, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            name = node.args[0]
            if (
                called in {"import_module", "__import__"}
                and isinstance(name, ast.Constant)
                and isinstance(name.value, str)
                and not name.value.startswith(".")
            ):
                yield name.value.partition(".")[0], node.lineno


def is_allowed(file: Path, name: str) -> bool:
    """Whether `file` (relative to the root) may import the top-level module `name`."""
    package = file.parts[0]
    if package == "sdk":
        in_engine = file.parts[:2] == ("sdk", "engine")
        optional = SDK_OPTIONAL.get(file.as_posix()) == name or any(
            file.as_posix().startswith(room) and name in names for room, names in SDK_ROOMS.items()
        )
        return name in SDK_ALLOWED or optional or (in_engine and name in INTERPRETERS)
    return name not in FORBIDDEN[package]


def violations(root: Path, package: str) -> list[str]:
    """Lists the forbidden imports of a package as "file:line imports name"."""
    found = []
    for path in sorted((root / package).rglob("*.py")):
        file = path.relative_to(root)
        for name, line in imported_names(ast.parse(path.read_text(encoding="utf-8"))):
            if not is_allowed(file, name):
                found.append(f"{file}:{line} imports {name}")
    return found


def run_python(code: str) -> str:
    """Runs code in a fresh interpreter at the root and returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_after(statement: str) -> set[str]:
    """Returns the top-level modules a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(run_python(code).split())


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_package_keeps_to_its_imports(package: str) -> None:
    assert list((ROOT / package).rglob("*.py")), f"{package} has no code to check"
    assert violations(ROOT, package) == []


@pytest.mark.parametrize(
    ("file", "source", "name"),
    [
        ("sdk/reader.py", "import ai_edge_litert.interpreter", "ai_edge_litert"),
        (
            "sdk/model/bundle.py",
            "def f():\n    import tflite_runtime",
            "tflite_runtime",
        ),
        ("sdk/engine/litert.py", "import tensorflow as tf", "tensorflow"),
        ("sdk/reader.py", "import starlette", "starlette"),
        ("sdk/recognize/ctc.py", "from training.loop.losses import ctc", "training"),
        ("sdk/metrics.py", "import importlib\nimportlib.import_module('scipy.special')", "scipy"),
        ("training/loop/trainer.py", "from convert import export", "convert"),
        ("convert/export/export.py", "import demo_app", "demo_app"),
        ("demo_app/worker.py", "from keras import ops", "keras"),
    ],
)
def test_forbidden_import_is_found(tmp_path: Path, file: str, source: str, name: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    line = source.count("\n") + 1
    assert violations(tmp_path, Path(file).parts[0]) == [f"{Path(file)}:{line} imports {name}"]


# Rooms of the SDK, lowest first: a room may import those of its own level and of lower ones.
LEVELS = (
    ("image", "model"),
    ("engine", "detect", "rectify", "recognize"),
    ("retry",),
    ("strategy", "pipeline"),
    ("reader", "cluster"),
    ("serve", "bulk"),
    ("live",),
    ("station",),
    ("cli",),
)
# The readers' own door to live cameras, and the places that names have moved from.
DOORS = {("sdk/reader.py", "live")}


def module_imports(path: Path) -> Iterator[str]:
    """Yields the modules of the SDK that a file imports, those for types alone left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sdk"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (ROOT / inner.replace(".", "/")).with_suffix(".py").exists()
                yield inner if is_module else node.module


def test_rooms_of_the_sdk_keep_their_order() -> None:
    level = {room: i for i, rooms in enumerate(LEVELS) for room in rooms}
    found, seen = [], set()
    for path in sorted((ROOT / "sdk").rglob("*.py")):
        file = path.relative_to(ROOT)
        room = file.parts[1].removesuffix(".py")
        seen.add(room)
        for module in module_imports(path):
            other = [*module.split("."), ""][1]
            lower = level.get(room, 0) < level.get(other, 0)
            if room in level and lower and (file.as_posix(), other) not in DOORS:
                found.append(f"{file} imports {module}")
    assert found == []
    assert set(level) <= seen


def test_modules_of_the_sdk_form_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in sorted((ROOT / "sdk").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = set(module_imports(path)) - {name, "sdk"}

    # modules at either end of the imports go, until only circles are left
    left = dict(graph)
    while ends := {
        name
        for name, needs in left.items()
        if not needs & left.keys() or not any(name in other for other in left.values())
    }:
        left = {name: needs for name, needs in left.items() if name not in ends}
    assert sorted(left) == ["sdk.draw", "sdk.results"]


def test_engine_may_import_an_interpreter(tmp_path: Path) -> None:
    path = tmp_path / "sdk" / "engine" / "litert.py"
    path.parent.mkdir(parents=True)
    path.write_text("from ai_edge_litert.interpreter import Interpreter\n", encoding="utf-8")
    assert violations(tmp_path, "sdk") == []


def test_training_imports_backends_only_where_used() -> None:
    found = []
    for path in sorted((ROOT / "training").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {name for name, _ in imported_names(node)} & BACKENDS
                found += [f"{path.relative_to(ROOT)}:{node.lineno} imports {n}" for n in names]
    assert found == []


def test_import_sdk_loads_neither_interpreter_nor_opencv() -> None:
    loaded = loaded_after("import sdk")
    assert "sdk" in loaded
    assert not loaded & (INTERPRETERS | TRAINERS | {"cv2"})


def test_all_of_sdk_loads_no_interpreter_until_one_is_opened() -> None:
    statement = (
        "import importlib, pkgutil, sdk\n"
        "for module in pkgutil.walk_packages(sdk.__path__, 'sdk.'):\n"
        "    if not module.name.startswith('sdk.serve.') | module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "sdk.Reader"
    )
    loaded = loaded_after(statement)
    assert {"numpy", "sdk"} <= loaded
    optional = set(SDK_OPTIONAL.values()).union(*SDK_ROOMS.values())
    outside = {"training", "convert", "demo_app", "kivy"}
    assert not loaded & (INTERPRETERS | TRAINERS | optional | outside)


def test_import_sdk_takes_under_300_ms() -> None:
    def fastest(code: str) -> float:
        """Returns the shortest of five runs in seconds: other work only ever adds."""
        elapsed = []
        for _ in range(5):
            start = time.perf_counter()
            run_python(code)
            elapsed.append(time.perf_counter() - start)
        return min(elapsed)

    assert fastest("import sdk") - fastest("pass") < 0.3

"""What is not screen works without Kivy, and the command line says what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo_app.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=env,
    )


def test_view_models_import_no_kivy() -> None:
    code = (
        "import importlib, pkgutil, sys\n"
        "sys.modules['kivy'] = None\n"
        "import demo_app.models, demo_app.__main__, demo_app.language\n"
        "for module in pkgutil.iter_modules(demo_app.models.__path__, 'demo_app.models.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*sorted(sys.modules))"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    assert "demo_app.models.workplace" in done.stdout.split()
    assert "kivy.app" not in done.stdout.split()


def test_missing_kivy_is_said_with_the_command(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['kivy'] = None\n"
        "from demo_app.__main__ import main\n"
        f"sys.exit(main(['--folder', {str(tmp_path)!r}]))"
    )
    done = run("-c", code)
    assert done.returncode == 1
    assert "pip install 'fots-lite[demo]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(
    sys.platform != "linux" or Path("/dev/dri").exists(), reason="this machine can show graphics"
)
def test_missing_display_is_said_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("kivy")
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    done = run("-m", "demo_app", "--demo", "--folder", str(tmp_path), env=env)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("ERROR: There is no display") and "fots-lite station" in line
    assert done.stdout == ""


def test_damaged_settings_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "station.toml").write_text("camera = ", encoding="utf-8")
    assert main(["--folder", str(tmp_path)]) == 1
    assert "station.toml is not valid TOML" in capsys.readouterr().err


def test_wrong_look_in_the_settings_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "screen.toml").write_text('look = "pink"', encoding="utf-8")
    assert main(["--folder", str(tmp_path)]) == 2
    assert "dark, light" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["800", "800x", "x480", "800 x 480", "80x48"])
def test_wrong_size_is_wrong_usage(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--size", size])
    assert stop.value.code == 2
    assert "800x480" in capsys.readouterr().err

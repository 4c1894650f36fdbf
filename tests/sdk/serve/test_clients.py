"""The clients that the documentation shows, as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.serve.server import PHOTO, ROOT, Served, serving

CLIENTS = ROOT / "docs" / "clients"
COMMANDS = {"python": [sys.executable, "read.py"], "node": ["node", "read.mjs"]}
TOKEN = "a-token-of-24-characters"


def run(command: list[str], service: Served, *more: str, token: str = "") -> str:
    environment = {**os.environ, "FOTS_LITE_URL": service.url, "FOTS_LITE_TOKEN": token}
    done = subprocess.run(
        [*command, *more],
        cwd=CLIENTS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("language", COMMANDS)
def test_the_clients_read(service: Served, language: str) -> None:
    out = run(COMMANDS[language], service, str(PHOTO))
    assert re.search(r"^6MTX892 (1\.0|1\.00|0\.99)$", out, re.MULTILINE), out


@pytest.mark.parametrize("language", COMMANDS)
def test_the_clients_say_what_is_wrong(tmp_path: Path, language: str) -> None:
    (tmp_path / "tokens").write_text(TOKEN)
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with serving("--token-file", str(tmp_path / "tokens")) as service:
        assert "Authorization: Bearer" in run(COMMANDS[language], service, str(PHOTO))
        told = run(COMMANDS[language], service, str(tmp_path / "a.jpg"), token=TOKEN)
        assert "Pass a picture" in told
        assert "6MTX892" in run(COMMANDS[language], service, str(PHOTO), token=TOKEN)


def test_the_command_of_the_readme(service: Served) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    (curl .*)$", readme, re.MULTILINE)
    assert shutil.which("curl")
    done = subprocess.run(
        command.replace("http://127.0.0.1:8000", service.url).replace("photo.jpg", str(PHOTO)),
        shell=True,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "6MTX892" in done.stdout

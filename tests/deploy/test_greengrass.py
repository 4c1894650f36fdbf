"""The Greengrass components: their recipes' own commands, in a clean folder.

Nothing here runs on AWS: what Greengrass does with a recipe, filling in its variables and starting
a shell, is done by the test.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import yaml

from tests.cameras import wait_until
from tests.sdk.serve.server import PHOTO, ROOT
from tests.sdk.station.outputs.broker import Broker, Listener
from tests.sdk.station.outputs.certificates import make_certificates, strict_listener
from tests.sdk.station.ports import free_port


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("build", ROOT / "packaging/greengrass/build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    out = tmp_path_factory.mktemp("greengrass") / "out"
    module.build(out, "my-bucket")
    return out


class Component:
    """A component on this machine."""

    def __init__(self, built: Path, name: str, work: Path, configuration: Mapping[str, str]):
        (recipe,) = (built / "recipes").glob(f"io.fotslite.{name}-*.yaml")
        self.recipe = yaml.safe_load(recipe.read_text(encoding="utf-8"))
        self.manifest = self.recipe["Manifests"][0]
        self.work, self.artifacts = work / "work", work / "artifacts"
        self.work.mkdir()
        self.artifacts.mkdir()
        for artifact in self.manifest["Artifacts"]:
            prefix = "s3://my-bucket/"
            assert artifact["Uri"].startswith(prefix)
            source = built / "artifacts" / artifact["Uri"].removeprefix(prefix)
            shutil.copy(source, self.artifacts)
        defaults = self.recipe["ComponentConfiguration"]["DefaultConfiguration"]
        assert set(configuration) <= set(defaults)
        self.configuration = {**defaults, **configuration}

    def script(self, step: str) -> str:
        """A step's script with its variables filled in, as Greengrass does."""
        values = {"work:path": str(self.work), "artifacts:path": str(self.artifacts)}
        values |= {f"configuration:/{key}": value for key, value in self.configuration.items()}
        text = self.manifest["Lifecycle"][step]["Script"]
        return re.sub(r"\{([a-z]+:[^}]+)\}", lambda found: values[found[1]], text)

    def start(self, step: str) -> subprocess.Popen[str]:
        # of the environment what a service has, and how packages are reached here
        kept = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or k == "PATH"}
        kept["PATH"] = os.pathsep.join(x for x in kept["PATH"].split(os.pathsep) if "venv" not in x)
        return subprocess.Popen(
            ["sh", "-c", self.script(step)],
            cwd=self.work,
            env={**kept, "HOME": str(self.work)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def install(self) -> None:
        installing = self.start("Install")
        out, _ = installing.communicate(timeout=600)
        assert installing.returncode == 0, out

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """It ends by SIGTERM, as Greengrass ends components."""
        process = self.start("Run")
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        finally:
            process.kill()
            process.communicate()


def test_the_recipes_are_complete(built: Path) -> None:
    recipes = [yaml.safe_load(path.read_text()) for path in (built / "recipes").iterdir()]
    assert {x["ComponentName"] for x in recipes} == {"io.fotslite.Service", "io.fotslite.Station"}
    for recipe in recipes:
        assert recipe["RecipeFormatVersion"] == "2020-01-25"
        assert re.fullmatch(r"\d+\.\d+\.\d+", recipe["ComponentVersion"])
        for manifest in recipe["Manifests"]:
            names = {Path(artifact["Uri"]).name for artifact in manifest["Artifacts"]}
            scripts = "".join(step["Script"] for step in manifest["Lifecycle"].values())
            assert set(re.findall(r"\{artifacts:path\}/([^\"]+)", scripts)) == names
            used = set(re.findall(r"\{configuration:/([^}]+)\}", scripts))
            assert used == set(recipe["ComponentConfiguration"]["DefaultConfiguration"])
    wheels = list(built.rglob("*.whl"))
    assert len(wheels) == 1 and wheels[0].stat().st_size < 12e6


def test_the_service(built: Path, tmp_path: Path) -> None:
    port = free_port()
    component = Component(built, "Service", tmp_path, {"port": str(port), "threads": "1"})
    component.install()
    with component.running() as process:
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert process.poll() is None
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{url}/readyz").status_code == 200
            return False

        wait_until(ready, 60)
        answer = httpx.post(f"{url}/v1/read", content=PHOTO.read_bytes(), timeout=60)
        assert "6MTX892" in answer.text
    assert process.returncode == 0


def test_the_station_publishes_verdicts(built: Path, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    (tmp_path / "pictures").mkdir()
    shutil.copy(PHOTO, tmp_path / "pictures")
    port = free_port()
    broker = Broker(tmp_path, strict_listener(tmp_path, port))
    listener = Listener(broker.port, "fots-lite/#")
    configuration = {
        "camera": str(tmp_path / "pictures"),
        "job": 'name = "plates"\n[[rules]]\nkind = "text"\ntext = "6MTX892"',
        "endpoint": "127.0.0.1",
        "port": str(port),
        "certificate": str(tmp_path / "client.crt"),
        "key": str(tmp_path / "client.key"),
        "rootCa": str(tmp_path / "ca.crt"),
    }
    component = Component(built, "Station", tmp_path, configuration)
    component.install()
    try:
        with component.running() as process:
            out, _ = process.communicate(timeout=60)  # until the last picture of the folder
        assert process.returncode == 0, out
        wait_until(lambda: bool(listener.messages))
    finally:
        listener.close()
        broker.stop()
    verdict = listener.messages[0]
    assert (verdict["job"], verdict["status"]) == ("plates", "ok")
    assert "6MTX892" in json.dumps(verdict)

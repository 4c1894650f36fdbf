"""The files that set a cluster up parse, and agree with the program."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sdk.cli import _build_parser

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packaging" / "cluster"


def test_kuberay_parses_and_needs_a_token():
    cluster = yaml.safe_load((FOLDER / "raycluster.yaml").read_text(encoding="utf-8"))
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    spec = cluster["spec"]
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        (container,) = group["template"]["spec"]["containers"]
        environment = {entry["name"]: entry for entry in container["env"]}
        assert environment["RAY_AUTH_MODE"]["value"] == "token"
        assert "secretKeyRef" in environment["RAY_AUTH_TOKEN"]["valueFrom"]
        assert environment["RAY_USAGE_STATS_ENABLED"]["value"] == "0"


def test_the_script_for_ssh_parses_and_wants_machines():
    script = FOLDER / "start.sh"
    subprocess.run(["sh", "-n", script], check=True)
    done = subprocess.run(["sh", script, "10.0.0.1"], capture_output=True, text=True)
    assert done.returncode == 2 and "Usage" in done.stderr


def commands() -> list[str]:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    return re.findall(r"^    (fots-lite bulk [^#\n]+)", page, re.MULTILINE)


@pytest.mark.parametrize("line", commands())
def test_documented_commands_are_understood(line):
    args = _build_parser().parse_args(line.split()[1:])
    assert args.chunk == 50 and args.output

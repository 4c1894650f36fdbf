"""The container image and the files that run it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sdk.cli import _build_parser
from tests.cameras import wait_until
from tests.sdk.serve.server import PHOTO, ROOT
from tests.sdk.station.ports import free_port

FOLDER = ROOT / "packaging" / "container"
TOOLS = ("buildah", "mmdebstrap", "unshare")
# A name of an image that is here already: spares the test minutes of making one.
BASE = os.environ.get("FOTS_LITE_TEST_BASE")


def containers(text: str) -> Iterator[dict[str, Any]]:
    """The containers of all objects in a file."""
    for item in yaml.safe_load_all(text):
        spec = item.get("spec", {}).get("template", {}).get("spec", {})
        yield from spec.get("containers", [])


@pytest.mark.parametrize("name", ["kubernetes.yaml", "knative.yaml"])
def test_the_files_run_what_there_is(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    (container,) = containers(text)
    args = _build_parser().parse_args(["serve", *container["args"]])
    # the token lies where a volume is mounted, and the volume is a secret
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert str(Path(args.token_file).parent) in mounts
    assert "secret:" in text and container["ports"][0]["containerPort"] == args.port
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in ("/readyz", "/healthz")


def test_kubernetes_waits_for_what_was_taken() -> None:
    deployment, service = yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text())
    pod = deployment["spec"]["template"]
    args = _build_parser().parse_args(["serve", *pod["spec"]["containers"][0]["args"]])
    assert pod["spec"]["terminationGracePeriodSeconds"] >= 3 * args.timeout + args.drain
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    security = pod["spec"]["containers"][0]["securityContext"]
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    user = re.search(r"^USER (\d+):(\d+)$", (FOLDER / "Containerfile").read_text(), re.MULTILINE)
    assert user is not None and int(user[1]) == pod["spec"]["securityContext"]["runAsUser"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root file system of the image, built by buildah on a base without a registry."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"building an image needs root and {', '.join(missing) or TOOLS}: minutes")
    folder = tmp_path_factory.mktemp("image")
    if BASE is None:
        storage = folder / "storage.conf"
        storage.write_text(
            f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n'
        )
        os.environ["CONTAINERS_STORAGE_CONF"] = str(storage)
    environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}

    def run(*words: str) -> str:
        done = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    base = BASE or "localhost/base"
    if BASE is None:
        root = folder / "root.tar"
        run("mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates", "bookworm",
            str(root))  # fmt: skip
        empty = run("buildah", "from", "scratch")
        run("buildah", "add", "-q", empty, str(root), "/")
        run("buildah", "commit", "-q", empty, base)
    # how packages are reached on this machine
    mounts = [
        word
        for path in ("/etc/ssl/certs", "/etc/pip.conf")
        if Path(path).exists()
        for word in ("-v", f"{path}:{path}:ro")
    ]
    file = str(FOLDER / "Containerfile")
    options = ["--build-arg", f"BASE={base}", *mounts, "-f", file, "-t", "fots-lite-test"]
    run("buildah", "bud", "-q", "--format", "docker", *options, ".")
    container = run("buildah", "from", "fots-lite-test")
    yield Path(run("buildah", "mount", container))
    run("buildah", "rm", container)
    run("buildah", "rmi", "fots-lite-test")


def test_the_image_serves_read_only_and_as_nobody(image: Path) -> None:
    port = free_port()
    command = f"/opt/fots-lite/bin/fots-lite serve --port {port} --threads 1"
    script = (
        f"mount --bind {image} {image} && mount --bind /dev {image}/dev && "
        f"mount -t proc proc {image}/proc && mount -o remount,ro,bind {image} && "
        f"exec chroot --userspec=10001:10001 {image} {command}"
    )
    process = subprocess.Popen(["unshare", "-m", "sh", "-c", script], stderr=subprocess.PIPE)
    try:
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert process.poll() is None, process.communicate()
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"{url}/readyz").status_code == 200
            return False

        wait_until(ready, 60)
        answer = httpx.post(f"{url}/v1/read", content=PHOTO.read_bytes(), timeout=60)
        assert "6MTX892" in answer.text
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"^Uid:\t10001\t10001", status, re.MULTILINE)
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()

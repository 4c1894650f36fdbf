"""Writing files: wholly or not at all, and nothing left over."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sdk.errors import SdkError
from sdk.files import write_atomically


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write_atomically(path, b"one")
    write_atomically(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_result_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", b"")
    (tmp_path / "usual").write_bytes(b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "usual")}
    assert len(modes) == 1


@pytest.mark.parametrize("name", ["no/such/folder.txt", "folder", "file/out.txt"])
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"kept")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SdkError, match=r"Cannot write .*\. Check that the folder exists"):
        write_atomically(tmp_path / name, b"data")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_bytes() == b"kept"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The system refuses every byte over a limit, as a full disk does."""
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    code = (
        "import resource, signal, sys\n"
        "from sdk.errors import SdkError\n"
        "from sdk.files import write_atomically\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write_atomically(sys.argv[1], bytes(100_000))\n"
        "except SdkError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Cannot write {path}: File too large. Check that")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from convert.errors import ConvertError
from convert.folder import built_beside


def make_bundle(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "model.json").write_text(text)
    return folder


def test_new_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "bundle"
    with built_beside(target, force=False) as folder:
        (folder / "model.json").write_text("new")
        assert not target.exists()
    assert (target / "model.json").read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["bundle"]


def test_existing_bundle_needs_force(tmp_path: Path) -> None:
    target = make_bundle(tmp_path / "bundle", "old")
    with pytest.raises(ConvertError, match="--force"), built_beside(target, force=False):
        pytest.fail("the block must not start")
    with built_beside(target, force=True) as folder:
        (folder / "model.json").write_text("new")
        assert (target / "model.json").read_text() == "old"
    assert (target / "model.json").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_failure_inside_keeps_the_old_bundle(tmp_path: Path) -> None:
    target = make_bundle(tmp_path / "bundle", "old")
    with pytest.raises(ZeroDivisionError), built_beside(target, force=True) as folder:
        (folder / "model.json").write_text("half")
        raise ZeroDivisionError
    assert (target / "model.json").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("content", ["photo.jpg", "notes.txt"])
def test_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path, content: str) -> None:
    target = tmp_path / "pictures"
    target.mkdir()
    (target / content).write_text("mine")
    with pytest.raises(ConvertError, match="not a bundle"), built_beside(target, force=True):
        pytest.fail("the block must not start")
    assert (target / content).read_text() == "mine"


def test_file_in_the_way_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    target.write_text("mine")
    with pytest.raises(ConvertError, match="is a file"), built_beside(target, force=True):
        pytest.fail("the block must not start")


def test_parent_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(ConvertError, match="Cannot write"),
        built_beside(tmp_path / "file" / "bundle", force=False),
    ):
        pytest.fail("the block must not start")


BUILD = """
import sys, time
from pathlib import Path
from convert.folder import built_beside
with built_beside(Path(sys.argv[1]), force=True) as folder:
    (folder / "model.json").write_text("half")
    print("building", flush=True)
    time.sleep(60)
"""


def test_kill_leaves_the_old_bundle_and_the_next_export_cleans_up(tmp_path: Path) -> None:
    target = make_bundle(tmp_path / "bundle", "old")
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(target)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "building\n"
        with built_beside(tmp_path / "other", force=False) as folder:
            (folder / "model.json").write_text("other")
        process.send_signal(signal.SIGKILL)
    assert (target / "model.json").read_text() == "old"
    assert len(list(tmp_path.glob(".bundle.*.partial"))) == 1
    with built_beside(target, force=True) as folder:
        (folder / "model.json").write_text("new")
    assert (target / "model.json").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "other"]

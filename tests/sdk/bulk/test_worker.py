"""A node's part of the work, in this process: a full disk, another version, a folder not seen."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("fsspec", reason="the extra cluster is not installed: no fsspec")

from sdk.bulk.plan import Options
from sdk.bulk.store import Store
from sdk.bulk.worker import Terms, environment, read_part, read_rows
from sdk.errors import ClusterError, SdkError
from tests.misprint import PRINTED, WORD, draw_misprint
from tests.row import CELLS, draw_row
from tests.sdk.bulk.disk import small_disk

KEYS = ["a.png", "b.png"]


@pytest.fixture
def terms(tmp_path):
    """Two photos without text, the packaged model, and an output."""
    source = tmp_path / "photos"
    source.mkdir()
    photo = cv2.imencode(".png", np.full((64, 64, 3), 200, np.uint8))[1].tobytes()
    for key in KEYS:
        (source / key).write_bytes(photo)
    options = Options(None, None, None, (), (), None, False, False, 10**8, "jsonl")
    return Terms(str(source), str(tmp_path / "out"), options, environment(options))


def test_known_words_are_preferred_unless_the_reading_is_literal(terms):
    (Path(terms.source) / KEYS[0]).write_bytes(draw_misprint())
    for literal, text in ((False, WORD), (True, PRINTED)):
        rows = read_rows(replace(terms, options=replace(terms.options, literal=literal)), KEYS[0])
        assert [[line["text"] for line in row["lines"]] for row in rows] == [[text]]


def test_rows_are_divided_into_cells_unless_lines_stay_whole(terms):
    (Path(terms.source) / KEYS[0]).write_bytes(draw_row())
    for whole, texts in ((False, CELLS), (True, [" ".join(CELLS)])):
        options = replace(terms.options, whole_lines=whole)
        [row] = read_rows(replace(terms, options=options), KEYS[0])
        assert [line["text"] for line in row["lines"]] == texts


def test_another_version_is_refused_before_a_photo_is_read(terms):
    other = replace(terms, environment={**terms.environment, "fots-lite": "0.0.1"})
    with pytest.raises(ClusterError, match=r"fots-lite is '.+', not '0\.0\.1'.*Install the same"):
        read_part(other, "part-00000.jsonl", KEYS)
    assert Store(terms.output).names() == set()
    assert read_part(terms, "part-00000.jsonl", KEYS)[0].photos == 2


def test_a_folder_that_the_node_does_not_see(terms, tmp_path):
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(ClusterError, match=r"does not see .*Mount the folder"):
        read_part(terms, "part-00000.jsonl", KEYS)


def test_a_full_disk_leaves_nothing_half_written(terms, tmp_path):
    out = tmp_path / "out"
    with small_disk(out, "4k"):
        (out / "filling").write_bytes(bytes(4096))
        with pytest.raises(SdkError, match="No space left on device"):
            read_part(terms, "part-00000.jsonl", KEYS)
        assert [path.name for path in out.iterdir()] == ["filling"]
        (out / "filling").unlink()
        assert read_part(terms, "part-00000.jsonl", KEYS)[0].photos == 2


def test_files_are_listed_below_folders_and_links(tmp_path):
    for name in ("b/c/2.png", "b-1.png", "a.png"):
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_bytes(b"")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "root" / "b")
    listed = Store(str(tmp_path / "root")).list_files()
    assert listed == ["a.png", "b-1.png", "b/c/2.png", "link/c/2.png"]
    with pytest.raises(SdkError, match="Cannot list"):
        Store(str(tmp_path / "none")).list_files()

"""`training evaluate --cluster` and `training teach --cluster`: the results of one process."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from tests import tiny
from tests.hosts import running_hosts
from training.cli import main
from training.data.shards import shard_path, write_shard

pytest.importorskip("ray", reason="the extra cluster is not installed: no Ray")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """A head and h1 with a CPU each; namespaces where they are permitted."""
    with running_hosts(tmp_path_factory.mktemp("hosts"), (1, 1)) as found:
        yield found


def run(hosts, *arguments):
    """The return code, standard output and standard error of a command on the head."""
    running = hosts.run(sys.executable, "-m", "training", *map(str, arguments))
    out, err = running.communicate(timeout=600)
    return running.returncode, out, err


def samples(count):
    """Photos in the tiny script with the places of their lines, every fourth label wrong."""
    for number in range(count):
        text = "".join("ABCDEFGH"[number // 8**i % 8] for i in range(3))
        photo = tiny.draw_photo([(text, 8, 40)], (128, 128))
        red = np.argwhere(photo[..., 0] > 128)
        (y0, x0), (y1, x1) = red.min(0), red.max(0) + 1
        quad = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
        label = text if number % 4 else "WRONG"
        yield number, photo, {"texts": [{"text": label, "quad": np.array(quad).tolist()}]}


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with a set of shards, and a labeled one."""
    folder = tmp_path_factory.mktemp("sets")
    found = list(samples(50))
    for number in range(2):
        write_shard(shard_path(folder / "shards", number), found[25 * number :][:25], quality=100)
    (folder / "labeled").mkdir()
    rows = []
    for number, photo, record in found:
        path = folder / "labeled" / f"{number}.png"
        path.write_bytes(cv2.imencode(".png", photo[..., ::-1])[1].tobytes())
        rows.append(json.dumps({"image": path.name, **record}))
    rows.append(json.dumps({"image": "0.png", "text": ""}))
    (folder / "labeled" / "labels.jsonl").write_text("\n".join(rows) + "\n")
    return folder


def test_nodes_evaluate_as_one_process_does(hosts, sets, tiny_bundle, capsys):
    line = ["evaluate", "--bundle", str(tiny_bundle), "--data", str(sets)]
    for limit in ([], ["--limit", "30"]):
        assert main([*line, *limit]) == 0
        wanted = capsys.readouterr().out
        assert 0.6 < json.loads(wanted.splitlines()[0])["e2e"] < 0.9
        code, out, err = run(hosts, *line, *limit, "--cluster", hosts.address)
        assert (code, out) == (0, wanted), err
        assert limit or "labeled: 1 pictures have no text" in err


def test_the_networks_of_a_run_are_evaluated_on_nodes(hosts, line_run, line_shards, capsys):
    line = ["evaluate", "--run", str(line_run), "--data", str(line_shards)]
    assert main(line) == 0
    wanted = capsys.readouterr().out
    assert json.loads(wanted)["lines"] == 120
    code, out, err = run(hosts, *line, "--cluster", hosts.address)
    assert (code, out) == (0, wanted), err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--bundle", "none"], "none"),
        (["--bundle", "{bundle}", "--threads", "2"], "--threads"),
        (["--bundle", "{bundle}", "--data", "{empty}"], "Nothing to evaluate on"),
    ],
)
def test_wrong_use_is_refused(hosts, sets, tiny_bundle, tmp_path, options, said):
    filled = [text.format(bundle=tiny_bundle, empty=tmp_path) for text in options]
    code, out, err = run(hosts, "evaluate", "--data", sets, *filled, "--cluster", hosts.address)
    assert (code, out) == (1, "") and said in err


def test_a_damaged_picture_ends_the_evaluation(hosts, sets, tiny_bundle, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG")
    (tmp_path / "labels.jsonl").write_text('{"image": "bad.png", "text": "A"}\n')
    line = ["evaluate", "--bundle", tiny_bundle, "--data", tmp_path]
    code, _, err = run(hosts, *line, "--cluster", hosts.address)
    assert code == 1 and "bad.png" in err and "failed on the node" in err


def test_teachers_on_nodes_write_the_labels_of_one(hosts, tmp_path):
    pytest.importorskip("rapidocr", reason="the extra teach is not installed: no rapidocr")
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    for number in range(5):
        photo = np.full((120, 320, 3), 255, np.uint8)
        if number:
            cv2.putText(photo, f"LOT {number}42", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 0, 3)
        folder = photos / ("sub" if number < 2 else "")
        (folder / f"{number:02d}.png").write_bytes(cv2.imencode(".png", photo)[1].tobytes())
    (photos / "03.png").write_bytes(b"\x89PNG")
    one = subprocess.run(
        [sys.executable, "-m", "training", "teach", str(photos), "--out", str(tmp_path / "one")],
        env=hosts.environment,
        capture_output=True,
        text=True,
    )
    assert one.returncode == 0, one.stderr
    many = tmp_path / "many"
    code, out, err = run(hosts, "teach", photos, "--out", many, "--cluster", hosts.address)
    assert (code, out) == (0, one.stdout), err
    assert json.loads(out)["photos"] == 4 and json.loads(out)["labels"] > 1
    assert "left out" in err and "03.png" in err
    wanted = (tmp_path / "one" / "labels.jsonl").read_bytes()
    assert (many / "labels.jsonl").read_bytes() == wanted
    # rows of an interrupted call are completed, in the same order
    rows = wanted.splitlines(keepends=True)
    (many / "labels.jsonl").write_bytes(rows[3] + rows[1])
    code, _, err = run(hosts, "teach", photos, "--out", many, "--cluster", hosts.address)
    assert code == 0, err
    assert (many / "labels.jsonl").read_bytes() == wanted

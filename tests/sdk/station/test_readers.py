"""Jobs that name bundles of their own; the bundles are real and read the same print otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from sdk.charset import Charset
from sdk.cli import main
from sdk.errors import JobError
from sdk.model.bundle import read_manifest, write_manifest
from sdk.station import Field, Job, JobReaders, Station, TextRule, Verdict, save_job
from sdk.station.config import StationConfig, save_config
from tests.sdk.station.belt import photo

TURNED = "../models/turned"


@pytest.fixture
def folder(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A station's folder with bundles: ``turned`` reads other letters, ``lines`` lines alone."""
    shutil.copytree(tiny_bundle, tmp_path / "models" / "turned")
    manifest = read_manifest(tiny_bundle)[1]
    other = Charset(manifest.charset.symbols[::-1])
    write_manifest(tmp_path / "models" / "turned", replace(manifest, charset=other))
    shutil.copytree(tiny_bundle, tmp_path / "models" / "lines")
    variants = {v: {"line": graphs["line"]} for v, graphs in manifest.variants.items()}
    lines = replace(manifest, charset=other, variants=variants)
    write_manifest(tmp_path / "models" / "lines", lines)
    for name in ("jobs", "pictures"):
        (tmp_path / name).mkdir()
    for i in range(2):
        cv2.imwrite(str(tmp_path / "pictures" / f"{i}.png"), photo("ABCD")[..., ::-1])
    return tmp_path


@pytest.fixture
def readers(folder: Path, tiny_bundle: Path) -> Iterator[JobReaders]:
    with JobReaders(StationConfig(model=str(tiny_bundle), threads=1), folder) as opened:
        yield opened


def turned(text: str, bundle: Path) -> str:
    """Return what the bundle ``turned`` reads for a text."""
    symbols = read_manifest(bundle)[1].charset.symbols
    return "".join(symbols[::-1][symbols.index(c)] for c in text)


@pytest.mark.parametrize("name", ["turned", "lines"])
def test_a_job_is_read_by_its_bundle(
    folder: Path, tiny_bundle: Path, readers: JobReaders, name: str
) -> None:
    said: list[Verdict] = []
    job = Job("own", model=f"../models/{name}")
    station = Station(readers, str(folder / "pictures"), job)
    station.on_verdict = lambda verdict, _: said.append(verdict)
    with station:
        assert station.wait(60)
    station.job = Job("plain")
    with station:
        assert station.wait(60)
    texts = [verdict.reading.text for verdict in said]
    assert texts == [turned("ABCD", tiny_bundle)] * 2 + ["ABCD"] * 2
    assert readers.of(job) == readers.of(job) and readers.of(Job("plain")) == (readers.default,)


def test_a_missing_bundle_is_told_when_the_job_is_taken(folder: Path, readers: JobReaders) -> None:
    wrong = Job("own", model="../models/none")
    with pytest.raises(JobError, match=r"'own' names the model '\.\./models/none'.*not found"):
        Station(readers, str(folder / "pictures"), wrong)
    station = Station(readers, str(folder / "pictures"), Job("plain"))
    with pytest.raises(JobError, match=r"installed bundles: .*default"):
        station.job = wrong
    assert station.job == Job("plain")
    single = Station(readers.default, str(folder / "pictures"), Job("plain"))
    with pytest.raises(JobError, match="Give the station JobReaders"):
        single.job = wrong


def test_two_bundles_stay_open(folder: Path, readers: JobReaders) -> None:
    jobs = [Job(name, model=f"../models/{name}") for name in ("turned", "lines", "third")]
    shutil.copytree(folder / "models" / "turned", folder / "models" / "third")
    first, *rest = [readers.of(job) for job in jobs]
    assert [readers.of(job) for job in jobs[1:]] == rest
    assert readers.of(jobs[0]) != first
    readers.forget(jobs[0].model)
    assert readers.of(jobs[0])[0].read(photo("ABCD")).text


def test_each_field_is_read_by_its_bundle(
    folder: Path, tiny_bundle: Path, readers: JobReaders
) -> None:
    for path in (folder / "pictures").iterdir():
        path.unlink()
    cv2.imwrite(str(folder / "pictures" / "0.png"), photo("ABCD", "HAG")[..., ::-1])
    lower = turned("HAG", tiny_bundle)
    job = Job(
        "product",
        fields=(
            Field("code", region=(0, 0.5, 1, 0.5), lines=1, rules=(TextRule(lower),), model=TURNED),
            Field("name", region=(0, 0, 1, 0.5), lines=1, rules=(TextRule("HAG"),)),
        ),
    )
    said: list[Verdict] = []
    station = Station(readers, str(folder / "pictures"), job)
    station.on_verdict = lambda verdict, _: said.append(verdict)
    with station:
        assert station.wait(60)
    (verdict,) = said
    assert verdict.reading.texts == [lower, "ABCD"]  # field by field
    assert verdict.reading.model.count(",") == 0  # both bundles have one name
    assert (verdict.status, verdict.regions) == ("ng", job.regions)
    assert [(r.field, r.rule, r.ok) for r in verdict.results] == [
        ("code", "lines", True),
        ("code", "text", True),
        ("name", "lines", True),
        ("name", "text", False),
    ]
    assert verdict.reasons[0].startswith("name: 'HAG' is missing")


def test_all_bundles_of_two_jobs_stay_open(folder: Path, readers: JobReaders) -> None:
    for name in ("third", "fourth"):
        shutil.copytree(folder / "models" / "turned", folder / "models" / name)

    def job(*names: str) -> Job:
        parts = [
            Field(name, region=(0, i / 2, 1, 0.5), model=f"../models/{name}")
            for i, name in enumerate(names)
        ]
        return Job("-".join(names), fields=tuple(parts))

    one, other = job("turned", "lines"), job("third", "fourth")
    first = readers.of(one)
    readers.of(other)
    assert readers.of(one) == first
    readers.of(job("lines", "third"))
    assert readers.of(one) == first
    assert readers.of(other) != readers.of(one)


def test_the_command_line_reads_by_the_jobs_bundle(
    folder: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = folder / "jobs" / "own.toml"
    save_job(Job("own", model="../models/turned"), job)
    config = StationConfig(camera=str(folder / "pictures"), model=str(tiny_bundle), threads=1)
    save_config(config, folder / "station.toml")
    wanted = turned("ABCD", tiny_bundle)
    assert main(["station", str(folder / "station.toml")]) == 0
    assert [row.split("\t")[1] for row in capsys.readouterr().out.splitlines()] == [wanted] * 2
    watched = ["watch", str(folder / "pictures"), "--job", str(job)]
    assert main(watched) == 0
    assert wanted in capsys.readouterr().out
    assert main([*watched, "--model", str(tiny_bundle)]) == 2
    assert "names its own model" in capsys.readouterr().err
    save_job(Job("own", model="none"), job)
    assert main(["station", str(folder / "station.toml")]) == 1
    assert "names the model 'none'" in capsys.readouterr().err

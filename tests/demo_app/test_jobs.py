from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from demo_app.models.draft import FieldDraft, JobDraft, RuleDraft
from demo_app.models.jobs import MODELS, JobsModel
from demo_app.models.settings import SAMPLES
from sdk.errors import JobError
from sdk.model.bundle import DEFAULT_BUNDLE
from sdk.results import Reading, TextLine
from sdk.station import Field, Job, load_job
from sdk.station.rules import RULES

QUAD = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))


@pytest.fixture
def jobs(tmp_path: Path) -> JobsModel:
    shutil.copy(SAMPLES / "steripad.toml", tmp_path)
    return JobsModel(tmp_path)


def test_form_of_a_job_gives_the_job_back() -> None:
    job = load_job(SAMPLES / "steripad.toml")
    assert JobDraft.of(job).to_job() == job
    field = Field("lot", "on the lid", region=(0, 0, 1, 0.5), rules=job.rules, model="dots")
    assert JobDraft.of(Job("one", fields=(field,))).to_job() == Job("one", fields=(field,))


def test_a_job_names_a_bundle_by_name_or_place(tmp_path: Path) -> None:
    jobs = JobsModel(tmp_path / "jobs")
    jobs.create()
    made = jobs.save()
    assert JobDraft.of(made).fields[0].model == "" and "default" in jobs.models()
    own = tmp_path / MODELS / "own"
    shutil.copytree(DEFAULT_BUNDLE, own)
    assert "../models/own" in jobs.models()
    assert jobs.set_model(made.name, own).model == "../models/own"
    assert jobs.find(made.name) == replace(made, model="../models/own")
    assert jobs.draft is not None and jobs.draft.to_job().model == "../models/own"
    assert jobs.word_for(DEFAULT_BUNDLE) == "default"
    with pytest.raises(JobError, match="no job 'other'"):
        jobs.set_model("other", own)


def test_a_second_field_makes_a_job_of_fields(jobs: JobsModel) -> None:
    draft = jobs.create()
    first = draft.fields[0]
    first.region, first.rules = (0, 0, 1, 0.4), [RuleDraft.empty("pattern")]
    first.rules[0].values["pattern"] = "L[0-9]+"
    second = draft.add_field()
    assert [field.name for field in draft.fields] == ["Field 1", "Field 2"]
    assert jobs.problem().startswith("The field 'Field 2' has no region")
    second.region = (0, 0.3, 1, 0.4)
    assert "overlap" in jobs.problem()
    second.region, second.lines = (0, 0.5, 1, 0.4), "x"
    assert jobs.problem().startswith("Field 'Field 2': Number of lines")
    second.lines = "1"
    job = jobs.save()
    assert [(field.name, field.lines, len(field.rules)) for field in job.fields] == [
        ("Field 1", None, 1),
        ("Field 2", 1, 0),
    ]
    assert JobDraft.of(job).to_job() == job == load_job(jobs.draft.path)
    assert draft.add_field().name == "Field 3"


def test_the_last_field_becomes_the_job_itself() -> None:
    draft = JobDraft("A")
    second = draft.add_field()
    draft.fields[0].lines = "2"
    draft.remove_field(second)
    draft.remove_field(draft.fields[0])
    assert draft.to_job() == Job("A", lines=2)


@pytest.mark.parametrize("lines", [None, 1, 4, (2, 5)])
def test_numbers_of_lines_survive_the_form(lines: int | tuple[int, int] | None) -> None:
    assert JobDraft.of(Job("A", lines=lines)).to_job().lines == lines


@pytest.mark.parametrize("lines", ["x", "2-", "-3", "1.5", "4 5"])
def test_wrong_number_of_lines_is_said(lines: str) -> None:
    with pytest.raises(JobError, match="Number of lines"):
        JobDraft("A", fields=[FieldDraft(lines=lines)]).to_job()


@pytest.mark.parametrize("kind", sorted(RULES))
def test_form_has_a_text_or_truth_for_every_value(kind: str) -> None:
    draft = RuleDraft.empty(kind)
    assert draft.values.keys() == draft.fields().keys()
    assert all(isinstance(value, str | bool) for value in draft.values.values())


def test_problem_names_the_rule(jobs: JobsModel) -> None:
    draft = jobs.create()
    (field,) = draft.fields
    field.rules = [RuleDraft("text", {"text": "A", "whole": False, "line": ""})]
    assert jobs.problem() == ""
    field.rules.append(RuleDraft("pattern", {"pattern": "(", "line": ""}))
    assert jobs.problem().startswith("Pattern (2): pattern is '('")
    field.rules[1].values["pattern"] = "A+"
    field.rules[0].values["line"] = "two"
    assert jobs.problem() == "Fixed text (1): Line number is 'two'. Give a number."


def test_formats_are_separated_by_semicolons() -> None:
    draft = RuleDraft.empty("date")
    draft.values["formats"] = "MON D, YYYY; MM/YYYY;"
    rule = draft.to_rule()
    assert rule.formats == ("MON D, YYYY", "MM/YYYY")
    assert RuleDraft.of(rule).values["formats"] == "MON D, YYYY; MM/YYYY"


def test_broken_file_is_listed_with_its_error(jobs: JobsModel) -> None:
    (jobs.folder / "bad.toml").write_text("name = 3", encoding="utf-8")
    bad, good = jobs.entries()
    assert (bad.name, bad.job) == ("bad", None) and "bad.toml" in bad.error
    assert good.name == "Steripad"
    with pytest.raises(JobError, match=r"bad\.toml"):
        jobs.edit(bad)


def test_missing_folder_has_no_jobs(tmp_path: Path) -> None:
    assert JobsModel(tmp_path / "none").entries() == []


def test_saved_job_is_listed_and_found(jobs: JobsModel) -> None:
    jobs.create().name = "Müsli 500 g"
    job = jobs.save()
    assert jobs.find("Müsli 500 g") == job
    assert [entry.path.name for entry in jobs.entries()] == ["m-sli-500-g.toml", "steripad.toml"]


def test_renamed_job_leaves_no_file_behind(jobs: JobsModel) -> None:
    (entry,) = jobs.entries()
    jobs.edit(entry).name = "Bandage"
    jobs.save()
    assert [path.name for path in jobs.folder.iterdir()] == ["bandage.toml"]


def test_name_of_another_job_is_refused(jobs: JobsModel) -> None:
    jobs.create().name = "Steripad"
    with pytest.raises(JobError, match="another job"):
        jobs.save()
    assert len(jobs.entries()) == 1


def test_names_with_one_file_name_get_two_files(jobs: JobsModel) -> None:
    for name in ("A b", "A-b"):
        jobs.create().name = name
        jobs.save()
    assert {entry.name for entry in jobs.entries()} == {"A b", "A-b", "Steripad"}


def test_nothing_to_save_is_said(jobs: JobsModel) -> None:
    with pytest.raises(JobError, match="No job"):
        jobs.save()


def test_job_taught_from_a_reading_has_a_free_name(jobs: JobsModel) -> None:
    reading = Reading((TextLine("LOT 12A", 0.99, QUAD),), 100, 20)
    draft = jobs.teach(reading)
    assert draft.name == "Product 1" and [rule.kind for rule in draft.fields[0].rules] == [
        "pattern"
    ]
    jobs.save()
    assert jobs.teach(reading).name == "Product 2"


def test_deleted_job_is_gone(jobs: JobsModel) -> None:
    (entry,) = jobs.entries()
    jobs.edit(entry)
    jobs.delete(entry)
    assert jobs.entries() == [] and jobs.draft is None
    jobs.delete(entry)


def test_file_from_elsewhere_replaces_the_job_of_its_name(jobs: JobsModel, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    text = (SAMPLES / "steripad.toml").read_text(encoding="utf-8").replace("lines = 4", "lines = 3")
    (other / "x.toml").write_text(text, encoding="utf-8")
    jobs.take(other / "x.toml")
    (entry,) = jobs.entries()
    assert entry.job is not None and entry.job.lines == 3

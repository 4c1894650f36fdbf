from __future__ import annotations

from pathlib import Path

import pytest

from sdk.errors import JobError, SdkError
from sdk.station import (
    CheckDigitRule,
    DateRule,
    Field,
    Job,
    PatternRule,
    TextRule,
    load_job,
    load_jobs,
    save_job,
)

FULL = Job(
    "Yoghurt 500 g",
    description='The "big" one',
    lines=(2, 4),
    region=(0.1, 0.2, 0.8, 0.5),
    min_confidence=0.6,
    rules=(
        TextRule("BEST BEFORE", whole=True, line=1),
        PatternRule(r"L\d{5}"),
        DateRule(("DD.MM.YYYY", "MM/YYYY"), "90 days ahead", "2 years ahead", "EXP"),
        CheckDigitRule("gtin"),
    ),
)


LOT = '[[fields]]\nname = "lot"\nregion = [0, 0, 0.5, 0.5]\n'
FIELDS = Job(
    "Carton",
    "two prints",
    fields=(
        Field("lot", region=(0.1, 0.1, 0.3, 0.2), lines=1, rules=(PatternRule(r"L\d{5}"),)),
        Field("date", region=(0.4, 0.1, 0.3, 0.2), min_confidence=0.7, model="dates"),
    ),
)


@pytest.mark.parametrize("job", [FULL, FIELDS])
def test_a_job_survives_its_file(tmp_path: Path, job: Job) -> None:
    save_job(job, tmp_path / "job.toml")
    assert load_job(tmp_path / "job.toml") == job
    assert [path.name for path in tmp_path.iterdir()] == ["job.toml"]


def test_the_least_job() -> None:
    assert Job.from_toml('name = "a"') == Job("a")
    assert Job("a").to_toml() == 'name = "a"\n'


def test_a_job_is_its_only_field_or_has_several() -> None:
    assert FULL.parts == (FULL,) and FULL.regions == {"": FULL.region}
    assert FIELDS.parts == FIELDS.fields and list(FIELDS.regions) == ["lot", "date"]
    assert Job("a").regions == {}
    assert FULL.read_by("own").model == "own"
    assert {field.model for field in FIELDS.read_by("own").fields} == {"own"}


def test_lines_is_a_number_or_a_range() -> None:
    assert Job("a").line_range is None
    assert Job("a", lines=3).line_range == (3, 3)
    assert Job.from_toml('name = "a"\nlines = [1, 2]').line_range == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lines = 3", r'milk\.toml has no "name". Add a text'),
        ("name = 3", r"name is 3\. It must be a text"),
        ('name = " "', "name is ' '"),
        ('name = "a"\ncolor = "red"', 'unknown key "color". Use name, description'),
        ('name = "a"\nlines = true', "lines is True. It must be a whole number or a list of 2"),
        ('name = "a"\nlines = 0', "lines is 0"),
        ('name = "a"\nlines = [3, 2]', r"lines is \(3, 2\)"),
        ('name = "a"\nlines = [1, 2, 3]', "It must be a whole number or a list of 2 values"),
        ('name = "a"\nregion = [0, 0, 1]', "region is .* It must be a list of 4 values"),
        ('name = "a"\nregion = [0.5, 0, 0.6, 1]', "shares of the picture"),
        ('name = "a"\nregion = [0, 0, 0, 1]', "shares of the picture"),
        ('name = "a"\nregion = [nan, 0, 1, 1]', "shares of the picture"),
        ('name = "a"\nmin_confidence = 2', "min_confidence is 2.0"),
        ('name = "a"\nmin_confidence = "high"', "It must be a number"),
        ('name = "a"\nrules = "all"', r"under \[\[rules\]\]"),
        ('name = "a"\nrules = [1]', "rule 1, kind is None"),
        ('name = "a"\n[[rules]]\nkind = "smell"', "Give one of text, pattern, date, check_digit"),
        ('name = "a"\n[[rules]]\nkind = ["text"]', "Give one of text"),
        ('name = "a"\n[[rules]]\nkind = "text"', r'rule 1 \(text\) has no "text"'),
        ('name = "a"\n[[rules]]\nkind = "text"\ntext = " "', "text is empty"),
        ('name = "a"\n[[rules]]\nkind = "text"\ntext = "A"\nline = 0', "line is 0"),
        ('name = "a"\n[[rules]]\nkind = "pattern"\npattern = "(["', r"at 2, this '\[' is not"),
        ('name = "a"\n[[rules]]\nkind = "pattern"\npattern = "a(?=b)"', "at 2, look-around"),
        ('name = "a"\n[[rules]]\nkind = "pattern"\npattern = "(.{999}){99}"', "too large"),
        ('name = "a"\n[[rules]]\nkind = "pattern"\npattern = " "', "pattern is empty"),
        ('name = "a"\n[[rules]]\nkind = "date"\nformats = []', "formats is empty"),
        ('name = "a"\n[[rules]]\nkind = "date"\nformats = ["XX"]', "'XX' is not a date format"),
        (
            'name = "a"\n[[rules]]\nkind = "date"\nformats = ["DD.MM.YY"]\nearliest = "soon"',
            "'soon' is not a bound",
        ),
        ('name = "a"\n[[rules]]\nkind = "check_digit"\nscheme = "isbn"', "Give one of gtin"),
        ('name = "a"\nfields = "b"', r"under \[\[fields\]\]"),
        ('name = "a"\nfields = ["b"]', "field 1 is 'b'. It must be a table"),
        ('name = "a"\n[[fields]]\nregion = [0, 0, 1, 1]', 'field 1 has no "name"'),
        ('name = "a"\n[[fields]]\nname = "b"', "The field 'b' has no region"),
        ('name = "a"\nlines = 2\n' + LOT, "lines stands beside the fields"),
        ('name = "a"\n' + LOT + LOT, "Two fields are called 'lot'"),
        ('name = "a"\n' + LOT + LOT.replace("lot", "b"), "'lot' and 'b' overlap"),
        ('name = "a"\n' + LOT + "fields = []", 'field 1 has the unknown key "fields"'),
        ('name = "a"\n' + LOT + '[[fields.rules]]\nkind = "smell"', "field 1, rule 1, kind is"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(JobError, match=message) as caught:
        Job.from_toml(text, "milk.toml")
    assert "milk.toml" in str(caught.value)


def test_jobs_of_a_folder_by_name(tmp_path: Path) -> None:
    save_job(FULL, tmp_path / "a.toml")
    save_job(Job("Butter"), tmp_path / "b.toml")
    (tmp_path / "notes.txt").write_text("no job")
    assert list(load_jobs(tmp_path)) == ["Butter", "Yoghurt 500 g"]
    save_job(Job("Butter"), tmp_path / "c.toml")
    with pytest.raises(JobError, match=r"Two jobs are called 'Butter': .*b\.toml and .*c\.toml"):
        load_jobs(tmp_path)


def test_missing_folder_and_file(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no folder"):
        load_jobs(tmp_path / "none")
    with pytest.raises(JobError, match=r"Cannot read .*none\.toml"):
        load_job(tmp_path / "none.toml")
    with pytest.raises(SdkError, match="Cannot write"):
        save_job(FULL, tmp_path / "none" / "job.toml")

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.errors import JobError
from sdk.station.tables import dump_toml, parse_toml, read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    TEXTS | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, width=64) | st.booleans()
)
PLAIN = SCALARS | st.lists(SCALARS, max_size=4)
TABLES = st.recursive(
    st.dictionaries(TEXTS, PLAIN, max_size=4),
    lambda inner: st.dictionaries(
        TEXTS, PLAIN | inner | st.lists(inner, min_size=1, max_size=3), max_size=4
    ),
    max_leaves=8,
)


@given(TABLES)
def test_what_is_written_reads_back(table: dict[str, Any]) -> None:
    assert tomllib.loads(dump_toml(table)) == table


def test_patterns_stay_readable() -> None:
    assert dump_toml({"pattern": r"L\d{5}"}) == "pattern = 'L\\d{5}'\n"


@pytest.mark.parametrize("value", [None, b"bytes", "\ud800"])
def test_what_toml_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(JobError, match="Cannot write"):
        dump_toml({"key": value})


def test_bad_toml_names_its_source() -> None:
    with pytest.raises(JobError, match=r"jobs/milk\.toml is not valid TOML"):
        parse_toml("name = ", "jobs/milk.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"a = {5000 * '9'}", "milk is not valid TOML"),
        (f"a.b = 0x{5000 * 'F'}", "milk, a, b is a number beyond 64 bits"),
        (f"a = [1, -{2**63 + 1}]", "milk, a is a number beyond 64 bits"),
        (f"a = {20_000 * '['}", "milk is not valid TOML"),
        (f"a = {30 * '['}{30 * ']'}", "milk holds tables more than 20 deep"),
        (f"{'a.' * 3_000}a = 1", "milk holds tables more than 20 deep"),
        ('a = "b\\u0000"', "milk, a holds the character 0"),
    ],
)
def test_what_nobody_can_handle_is_refused(text: str, message: str) -> None:
    with pytest.raises(JobError, match=message):
        parse_toml(text, "milk")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without end")
def test_files_without_end_are_refused() -> None:
    with pytest.raises(JobError, match="more than 1000000 bytes"):
        read_text(Path("/dev/zero"))


def test_unreadable_files_are_named(tmp_path: Any) -> None:
    with pytest.raises(JobError, match=r"none\.toml"):
        read_text(tmp_path / "none.toml")
    with pytest.raises(JobError, match="null"):
        read_text(tmp_path / "a\0b")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(JobError, match="UTF-8"):
        read_text(tmp_path / "latin.toml")

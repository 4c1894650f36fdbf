"""Patterns: the automaton against Python's `re`, templates, and what is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.errors import OptionError
from sdk.recognize.pattern.automaton import compile_pattern
from sdk.recognize.pattern.match import fullmatch
from sdk.recognize.pattern.template import Template

ROOT = Path(__file__).resolve().parents[3]
SMALL = Charset("ab1 -")

ATOMS = r"a b 1 - . \d \w \s \D \W \S \- [ab] [^a] [a-b1] [^\d-] [\w-] [-a] []a] (?:ab) (b|1) (|a)"
atoms = st.sampled_from([*ATOMS.split(), " ", "[ 1]"])
quantifiers = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{1,}", "{,2}", "{0,1}", "{0}"])
pieces = st.tuples(atoms, quantifiers).map("".join)
patterns = st.recursive(
    st.lists(pieces, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.tuples(inner, quantifiers).map(lambda pair: f"({pair[0]}){pair[1]}"),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=4,
)


def matches(pattern: object, text: str, charset: Charset = DEFAULT_CHARSET) -> bool:
    ids = charset.encode(text).tolist()
    return compile_pattern(pattern, charset).matches(ids)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(patterns, st.lists(st.text(SMALL.symbols, max_size=6), min_size=5, max_size=20))
def test_automaton_agrees_with_re(pattern: str, texts: list[str]) -> None:
    wanted = [bool(text) and re.fullmatch(pattern, text) is not None for text in texts]
    try:
        automaton = compile_pattern(pattern, SMALL)
    except OptionError as error:
        assert "no text of the allowed characters matches it" in str(error)
        assert not any(wanted)
    else:
        assert [automaton.matches(SMALL.encode(text).tolist()) for text in texts] == wanted


@settings(max_examples=300, deadline=None)
@given(patterns, st.lists(st.text("ab1 -\u00c4\u0663", max_size=6), min_size=5, max_size=20))
def test_matching_without_a_charset_agrees_with_re(pattern: str, texts: list[str]) -> None:
    wanted = [re.fullmatch(pattern, text) is not None for text in texts]
    assert [fullmatch(pattern, text) for text in texts] == wanted


def run(code: str) -> str:
    """Returns what a process prints that must not take for ever."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("pattern", ["([A-Z0-9]+[ -]?)*[0-9]", "(A|A)*B", "(.*){9}[0-9]"])
def test_matching_never_goes_back(pattern: str) -> None:
    code = "from sdk.recognize.pattern.match import fullmatch; "
    assert run(f"{code}print(fullmatch({pattern!r}, 'A' * 300 + '!'))") == "False\n"


@pytest.mark.parametrize(
    "pattern",
    ["(.?){1000}", ".*(.{0,900})", "((a?){100}){40}", ".{0,900}(.{0,900})", "(.{0,90}){0,60}"],
)
def test_compiling_is_bounded(pattern: str) -> None:
    code = f"""
from sdk.charset import DEFAULT_CHARSET
from sdk.errors import OptionError
from sdk.recognize.pattern.automaton import compile_pattern
try:
    compile_pattern({pattern!r}, DEFAULT_CHARSET)
except OptionError as error:
    print(error)
"""
    assert "too large for an automaton" in run(code)


@settings(max_examples=200, deadline=None)
@given(patterns, st.sampled_from(["a", "b1", "ab1 -"]))
def test_every_state_leads_to_the_end_over_allowed_characters(pattern: str, allowed: str) -> None:
    try:
        automaton = compile_pattern(pattern, SMALL, allowed)
    except OptionError:
        return
    ends = automaton.accepting.copy()
    for _ in range(len(ends)):
        ends[automaton.sources[ends[automaton.targets]]] = True
    assert ends.all()
    assert not automaton.accepting[0]
    assert set(automaton.classes) <= set(SMALL.encode(allowed))
    assert sorted(automaton.sources.tolist()) == automaton.sources.tolist()


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("[A-Z]{2}[0-9]{3}[A-Z]{2}", ["AB123CD"], ["AB123C", "AB123CDE", "ABI23CD", ""]),
        ("^\\d{2}/\\d{4}$", ["08/2021"], ["8/2021", "^08/2021$"]),
        ("EXP:? ?\\d\\d", ["EXP12", "EXP: 12"], ["EXP  12"]),
        ("[^A-Z]+", ["12-3"], ["12A"]),
        ("[]^\\]-]+", ["]", "^-]"], ["a"]),
        ("a|bc|", ["a", "bc"], ["", "ab"]),
        ("a.c", ["abc", "a.c"], ["ac"]),
        (r"\$\^\{\\", ["$^{\\"], ["x"]),
        (["AB", Template("99")], ["AB", "12"], ["AB12"]),
    ],
)
def test_patterns(pattern: object, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes + no if matches(pattern, text)] == yes


@pytest.mark.parametrize(
    ("template", "yes", "no"),
    [
        ("AA999AA", ["AB123CD"], ["AB 123 CD", "ab123cd", "AB12ICD"]),
        ("AA 999 AA", ["AB123CD", "AB 123 CD", "AB 123CD"], ["AB  123CD", "AB-123CD"]),
        ("AA-?9999", ["AB-1234", "AB1234"], ["AB 1234", "AB--1234"]),
        ("XXX", ["A1B", "000"], ["A-B", "a1b"]),
        ("LOT A9?", ["LOT B", "LOTB7"], ["LOT 7"]),
        (r"\A9.9", ["A1.2"], ["B1.2", "A1x2"]),
        (r"9\?", ["1?"], ["1", "?"]),
        (r"\99\\", ["91\\"], ["11\\"]),
        (r"9\??", ["1", "1?"], ["?"]),
        ("(9)+[9]", ["(1)+[2]"], ["1"]),
    ],
)
def test_templates(template: str, yes: list[str], no: list[str]) -> None:
    assert [text for text in yes + no if matches(Template(template), text)] == yes
    regex = Template(template).regex
    assert [text for text in yes + no if re.fullmatch(regex, text)] == yes


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a(?=b)", "at 2, look-around, flags, named groups"),
        ("(?P<x>a)", "Use (...) or (?:...)"),
        (r"(a)\1", "at 4, back references are not supported"),
        (r"\bA", r"\b is not supported"),
        ("a*?", "lazy, possessive and repeated"),
        ("a{2}{3}", "lazy, possessive and repeated"),
        ("*a", "nothing stands before this '*'"),
        ("a|+", "nothing stands before this '+'"),
        ("(a", "this group is not closed"),
        ("a)", "this ')' has no '('"),
        ("[a", "this '[' is not closed"),
        ("[z-a]", "this '-' is not a range"),
        (r"[\d-x]", "this '-' is not a range"),
        ("a{", "this '{' starts no {m}"),
        ("a{x}", "this '{' starts no {m}"),
        ("a{}", "this '{' starts no {m}"),
        ("a{3,1}", "must rise and be at most 1000"),
        ("a{1001}", "must rise and be at most 1000"),
        ("a^b", "'^' is supported only at the very start or end"),
        ("(a$)", "'$' is supported"),
        ("a\\", "nothing follows this"),
        ("(" * 60 + "a" + ")" * 60, "groups are nested more than 50 deep"),
        ("a{" + 5000 * "9" + "}", "must rise and be at most 1000"),
        ("(.*a.{15}|b)", "too large for an automaton"),
        ("((a{1000}){1000}){1000}", "too large"),
        ("", "no text of the allowed characters matches it"),
        ("Ä", "no text of the allowed characters matches it"),
        ("[^\\d\\D]", "no text of the allowed characters matches it"),
        ([], "Give a regular expression, a Template, or a list of them"),
        (7, "pattern is 7. Give a regular expression, a Template, or a list"),
        (["a", None], "pattern holds None"),
    ],
)
def test_bad_patterns(pattern: object, message: str) -> None:
    with pytest.raises(OptionError, match="pattern") as caught:
        compile_pattern(pattern, DEFAULT_CHARSET)  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_pattern_may_need_characters_that_are_not_allowed() -> None:
    assert compile_pattern("A?1", DEFAULT_CHARSET, "123").matches(DEFAULT_CHARSET.encode("1"))
    with pytest.raises(OptionError, match="no text of the allowed characters"):
        compile_pattern(Template("AA99"), DEFAULT_CHARSET, "0123456789")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "The template is empty"),
        ("  ", "The template is empty"),
        ("?9", "must follow a place"),
        ("9??", "must follow a place"),
        ("9 ?", "must follow a place"),
        ("9\\", "nothing follows the last"),
        (7, "template is 7"),
    ],
)
def test_bad_templates(template: str, message: str) -> None:
    with pytest.raises(OptionError, match="template") as caught:
        Template(template)
    assert message in str(caught.value)

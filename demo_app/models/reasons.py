"""Why a product is not OK, in the words of the screen's language.

Verdicts and the history hold the English reasons of `sdk.station`. This module has two forms of
each reason in the screen's language: a short form, readable from afar, and a long form with all
details.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from demo_app.language import tr
from sdk.errors import OptionError
from sdk.recognize.pattern import regex
from sdk.station import RuleResult, Verdict
from sdk.station.checkdigits import SCHEMES

__all__ = ["explain", "headline", "main_reason"]

_ASCII = "".join(map(chr, range(32, 127)))
# Longest form that is used as the name of a pattern.
_LONGEST_FORM = 14
# Placeholder for any letter in a form, in contrast to fixed letters of the pattern.
_LETTER = "\0"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reason of `sdk.station` and its forms on the screen.

    Attributes:
        sdk: The SDK's sentence, with names in braces for the values.
        short: The short form, a few words.
        long: The long form. Empty if the short form is complete.
    """

    sdk: str
    short: str
    long: str = ""


def main_reason(verdict: Verdict) -> str:
    """Return the main reason in a few words, "" for a good product.

    Rules come before the number of lines, which is wrong whenever a line is missing.
    """
    broken = [r for r in verdict.results if r.ok is (None if verdict.status != "ng" else False)]
    broken.sort(key=lambda result: result.rule == "lines")
    return headline(broken[0]) if broken else ""


def headline(result: RuleResult) -> str:
    """Return why a rule is not met in a few words, after the name of the field if it has one."""
    return result.after_field(_short(result.reason))


def explain(result: RuleResult, *, with_lines: bool = True) -> str:
    """Return the complete reason why a rule is not met.

    Args:
        result: Result of the rule.
        with_lines: Whether to add the name of the field, and the lines that were read instead.
            Without them, the result is empty if `headline` is complete.
    """
    match = _match(result.reason)
    if match is None:
        return result.after_field(result.reason) if with_lines else result.reason
    sentence, values = match
    found = _found(values.pop("found", ""))
    said = sentence.long.format(**{name: _plain(name, text) for name, text in values.items()})
    if not with_lines:
        return said
    if not said:
        short = _short(result.reason)
        said = f"{short}." if found else short
    return result.after_field(f"{said} {found}".strip())


def _short(reason: str) -> str:
    match = _match(reason)
    if match is None:
        return reason
    sentence, values = match
    return sentence.short.format(**{name: _brief(name, text) for name, text in values.items()})


def _sentences() -> tuple[Sentence, ...]:
    """Return the sentences of `sdk.station.rules` and `sdk.station.judge`, in the language set."""
    missing = tr("{what} missing")
    return (
        Sentence("no text is read", tr("No text")),
        Sentence("{what} is missing; {found}", missing),
        Sentence("no line matches {what}; {found}", missing, tr("No line matches {what}.")),
        Sentence(
            "no date like {formats} after {what}; {found}",
            missing,
            tr("No date like {formats} after {what}."),
        ),
        Sentence(
            "no date like {formats}; {found}",
            tr("Date missing"),
            tr("No date like {formats}."),
        ),
        Sentence("no {number}; {found}", tr("{number} missing")),
        Sentence("there is no line {line}", tr("Line {line} missing")),
        Sentence("{count} line is read, {wanted} wanted", tr("Lines: {count}, not {wanted}")),
        Sentence("{count} lines are read, {wanted} wanted", tr("Lines: {count}, not {wanted}")),
        Sentence(
            "{text} is read with a confidence of {share} only; {least} is asked",
            tr("Unsure: {text}"),
            tr("Read with a confidence of {share}; {least} is asked."),
        ),
        Sentence(
            "the check digit of {number} is wrong: {digit} would be right",
            tr("Check digit wrong"),
            tr("The check digit of {number} must be {digit}."),
        ),
        Sentence("{text} is no day of the calendar", tr("{text} is no date")),
        Sentence(
            "{text} may be {days}: list one format only",
            tr("{text} is ambiguous"),
            tr("It may be {days}. List one format only."),
        ),
        Sentence(
            "{text} is {day}, before {bound}",
            tr("{text} too early"),
            tr("{day} is before {bound}."),
        ),
        Sentence(
            "{text} is {day}, after {bound}",
            tr("{text} too late"),
            tr("{day} is after {bound}."),
        ),
    )


def _match(reason: str) -> tuple[Sentence, dict[str, str]] | None:
    for sentence in _sentences():
        match = _form(sentence.sdk).fullmatch(reason)
        if match is not None:
            return sentence, match.groupdict()
    return None


@lru_cache(maxsize=64)
def _form(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(sentence)), re.DOTALL)


def _found(text: str) -> str:
    """Return the sentence on the lines that were read instead of a missing line."""
    for start, said in (
        ("the closest line is ", tr("The closest line is {lines}.")),
        ("read: ", tr("Read: {lines}.")),
        ("nothing else is read", tr("Nothing else is read.")),
    ):
        if text.startswith(start):
            return said.format(lines=text.removeprefix(start))
    return text


def _plain(name: str, text: str) -> str:
    """Return a value for a long form."""
    if name in ("formats", "days"):
        return f" {tr('or')} ".join(text.split(" or "))
    return text


def _brief(name: str, text: str) -> str:
    """Return a value for a short form."""
    if name == "number":
        return _number_name(text)
    if name == "wanted":
        return text.replace(" to ", "\N{EN DASH}")
    if name not in ("what", "text"):
        return text
    if text[:1] not in "'\"":
        return _pattern_name(text)
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text


def _number_name(name: str) -> str:
    """Return the name of a scheme's numbers."""
    names = {
        "gtin": "GTIN",
        "iso6346": tr("Container number"),
        "vin": tr("Vehicle number"),
        "luhn": tr("Number"),
    }
    return next((names[key] for key, scheme in SCHEMES.items() if scheme[0] == name), name)


def _pattern_name(pattern: str) -> str:
    """Return the first word of a pattern, else its form with # for digits, else "Pattern".

    `LOT ?[0-9]{2}[A-Z]` gives LOT, `L[0-9]{5} [A-C]` gives L##### A.
    """
    try:
        form = _form_of(regex.parse(pattern, _ASCII))
    except OptionError:  # a pattern that Python's `re` supports but the parser does not
        return tr("Pattern")
    word = re.match("[A-Za-z/]{2,}", form)
    name = word[0] if word is not None else form.replace(_LETTER, "A").strip()
    return name if 0 < len(name) <= _LONGEST_FORM else tr("Pattern")


def _form_of(node: regex.Node) -> str:
    """Return the shortest text that matches, with # for digits and `_LETTER` for letters.

    A long form is cut just above the longest useful length.
    """
    if isinstance(node, regex.Symbols):
        if len(node.characters) == 1:
            return next(iter(node.characters))
        digits = all(character.isdecimal() for character in node.characters)
        return "#" if digits else _LETTER
    if isinstance(node, regex.Repeat):
        form = _form_of(node.part) * min(node.least, _LONGEST_FORM + 1)
    elif isinstance(node, regex.Choice):
        form = "/".join(map(_form_of, node.parts))
    else:
        form = "".join(map(_form_of, node.parts))
    return form[: _LONGEST_FORM + 1]

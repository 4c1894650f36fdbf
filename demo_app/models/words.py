"""Verdicts, rules and times in the words of the screen's language."""

from __future__ import annotations

from datetime import datetime

from demo_app.language import tr
from sdk.station import RuleResult

__all__ = [
    "clock",
    "field_name",
    "mark_of",
    "result_name",
    "rule_name",
    "since",
    "status_name",
    "verdict_title",
]


def mark_of(ok: bool | None) -> str:
    """Return the mark of a rule's result: "ok", "ng" or "unreadable"."""
    return "unreadable" if ok is None else "ok" if ok else "ng"


def verdict_title(status: str) -> str:
    """Return the word on the verdict band."""
    return {
        "ok": tr("OK"),
        "ng": tr("NG"),
        "unreadable": tr("NOT READABLE"),
    }.get(status, tr("WAITING"))


def status_name(status: str) -> str:
    """Return the name of a verdict for running text."""
    return {
        "ok": tr("OK"),
        "ng": tr("NG"),
        "unreadable": tr("Not readable"),
    }.get(status, tr("Waiting"))


def rule_name(kind: str) -> str:
    """Return the name of a kind of rule."""
    return {
        "lines": tr("Lines"),
        "text": tr("Fixed text"),
        "pattern": tr("Pattern"),
        "date": tr("Date"),
        "check_digit": tr("Check digit"),
    }.get(kind, kind)


def result_name(result: RuleResult) -> str:
    """Return the name of a result's rule, after the name of its field if it has one."""
    return result.after_field(rule_name(result.rule))


def field_name(name: str) -> str:
    """Return the name of a field of a rule."""
    return {
        "text": tr("Text"),
        "whole": tr("Whole line"),
        "line": tr("Line number"),
        "pattern": tr("Regular expression"),
        "formats": tr("Formats"),
        "earliest": tr("Earliest"),
        "latest": tr("Latest"),
        "prefix": tr("After the text"),
        "scheme": tr("Kind of number"),
    }.get(name, name)


def clock(seconds: float, *, date: bool = False) -> str:
    """Return a point in time in local time, with its date if `date` is set."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")


def since(seconds: float) -> str:
    """Return a point in time in local time without seconds, with its date if it is not today."""
    then = datetime.fromtimestamp(seconds)
    is_today = then.date() == datetime.now().date()
    return then.strftime("%H:%M" if is_today else "%m-%d %H:%M")

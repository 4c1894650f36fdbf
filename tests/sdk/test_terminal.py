"""Text for terminals: commands are made visible, everything else stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.terminal import json_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photo 1.jpg", "photo 1.jpg"),
        ("Grüße 漢字 \u3000\u00a0€😀", "Grüße 漢字 \u3000\u00a0€😀"),
        ("a\x1b]0;PWNED\x07b", "a\ufffd]0;PWNED\ufffdb"),
        ("a\nb\tc\rd\x00", "a\ufffdb\ufffdc\ufffdd\ufffd"),
        ("\x9b2J\x7f\u202egpj.exe\udce9", "\ufffd2J\ufffd\ufffdgpj.exe\ufffd"),
    ],
)
def test_commands_are_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_length_is_kept(text: str) -> None:
    assert len(printable(text)) == len(text)
    assert printable(printable(text)) == printable(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_holds_the_same_text(text: str) -> None:
    line = json_line({"name": text})
    assert json.loads(line) == {"name": text}
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)

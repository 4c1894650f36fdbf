"""Characters and class numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdk.charset import BLANK, DEFAULT_CHARSET, Charset


def test_default_charset_is_printable_ascii_with_space() -> None:
    assert len(DEFAULT_CHARSET) == 95
    assert DEFAULT_CHARSET.classes == 96
    assert DEFAULT_CHARSET.symbols[0] == " "
    assert all(chr(c) in DEFAULT_CHARSET for c in range(32, 127))
    assert "é" not in DEFAULT_CHARSET


@given(st.text(alphabet=DEFAULT_CHARSET.symbols))
def test_texts_come_back(text: str) -> None:
    ids = DEFAULT_CHARSET.encode(text)
    assert ids.dtype == np.int32
    assert BLANK not in ids
    assert DEFAULT_CHARSET.decode(ids) == text


def test_classes_start_after_the_blank() -> None:
    charset = Charset("xyz")
    assert charset.encode("zx").tolist() == [3, 1]
    assert charset.decode([0, 3, 3, 0, 1]) == "zzx"


def test_mask_always_allows_the_blank() -> None:
    assert Charset("abcd").mask("db").tolist() == [True, False, True, False, True]


@pytest.mark.parametrize("symbols", ["", "aba"])
def test_bad_charsets_are_refused(symbols: str) -> None:
    with pytest.raises(ValueError, match="charset"):
        Charset(symbols)


def test_foreign_characters_are_named() -> None:
    with pytest.raises(ValueError, match="'é'"):
        DEFAULT_CHARSET.encode("café")
    with pytest.raises(ValueError, match="'ß'"):
        DEFAULT_CHARSET.mask("aß")
    with pytest.raises(ValueError, match="at least one"):
        DEFAULT_CHARSET.mask("")
    with pytest.raises(ValueError, match=r"class 96: the charset has the classes 0 to 95"):
        DEFAULT_CHARSET.decode([1, 96])

from __future__ import annotations

import gettext
import re
from pathlib import Path
from string import Formatter

import pytest

from demo_app import language
from demo_app.language import LANGUAGES, LOCALES, tr

catalogs = pytest.importorskip("demo_app.catalogs")
pytest.importorskip("babel")

FILES = sorted(LOCALES.glob("*/LC_MESSAGES/*.po"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_texts_of_code_and_layouts_are_found() -> None:
    texts = catalogs.texts()
    assert {"NOT READABLE", "Single shot", "Keyboard on screen"} <= set(texts)
    assert len(texts) > 100


def test_every_language_has_a_catalog() -> None:
    assert {path.parent.parent.name for path in FILES} | {"en"} == set(LANGUAGES)


@pytest.mark.parametrize("po", FILES, ids=lambda path: path.parent.parent.name)
def test_every_text_is_translated(po: Path) -> None:
    assert catalogs.missing(po.read_bytes()) == []
    assert catalogs.updated(po.read_bytes()) == po.read_bytes(), "run: make messages"


@pytest.mark.parametrize("po", FILES, ids=lambda path: path.parent.parent.name)
def test_compiled_catalog_is_the_one_of_the_texts(po: Path) -> None:
    assert catalogs.compiled(po.read_bytes()) == po.with_suffix(".mo").read_bytes()


@pytest.mark.parametrize("po", FILES, ids=lambda path: path.parent.parent.name)
def test_translations_keep_the_values_they_show(po: Path) -> None:
    with po.with_suffix(".mo").open("rb") as file:
        translation = gettext.GNUTranslations(file)
    for text in catalogs.texts():
        assert fields(translation.gettext(text)) == fields(text), text


def test_missing_text_is_found(tmp_path: Path) -> None:
    po = FILES[0].read_text(encoding="utf-8")
    cut = re.sub(r'msgid "Teach"\nmsgstr "[^"]+"', 'msgid "Teach"\nmsgstr ""', po)
    assert catalogs.missing(cut.encode()) == ["Teach"]


def test_language_changes_at_once() -> None:
    language.set_language("de")
    assert tr("Teach") == "Anlernen"
    language.set_language("en")
    assert tr("Teach") == "Teach"


def test_unknown_language_is_english() -> None:
    language.set_language("xx")
    assert tr("Teach") == "Teach"

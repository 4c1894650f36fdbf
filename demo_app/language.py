"""The language of the screens, with gettext catalogs.

English texts are the message ids. `locale/<language>/LC_MESSAGES/demo_app.po` has the translations.
`make messages` updates and compiles the catalogs.
"""

from __future__ import annotations

import gettext
import locale
from pathlib import Path

__all__ = ["LANGUAGES", "LOCALES", "set_language", "system_language", "tr"]

LOCALES = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "de": "Deutsch"}
_DOMAIN = "demo_app"
_current: gettext.NullTranslations = gettext.NullTranslations()


def set_language(language: str) -> None:
    """Set the language. "" sets the system's language, an unknown code sets English."""
    global _current
    _current = gettext.translation(_DOMAIN, LOCALES, [language or system_language()], fallback=True)


def system_language() -> str:
    """Return the code of the system's language if it has a catalog, else "en"."""
    code = (locale.getlocale()[0] or "").partition("_")[0].lower()
    return code if code in LANGUAGES else "en"


def tr(message: str) -> str:
    """Return a message in the current language."""
    return _current.gettext(message)

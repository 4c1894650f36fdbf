"""Update the catalogs of `demo_app/locale` by the texts in the code, and compile them.

    python -m demo_app.catalogs

New texts get an empty translation in every `.po` file, removed texts are deleted. Each `.po` file
is compiled to the `.mo` file beside it, which the station reads. The program needs Babel.
"""

from __future__ import annotations

import ast
import io
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from demo_app.language import LOCALES
from sdk.errors import SdkError
from sdk.files import write_atomically

PACKAGE = Path(__file__).parent
_HEADER = "# Texts of the inspection station's screen."
_NOT_KEPT = re.compile(
    rb'"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|'
    rb"Last-Translator|Language-Team|Generated-By):[^\n]*\n"
)
# Layouts have texts between single quotes. In code Python's parser finds the texts.
_IN_LAYOUT = re.compile(r"app\.tr\('((?:[^'\\]|\\.)*)'\)")


def main() -> int:
    """Update and compile all catalogs, and return 1 if a text has no translation, else 0."""
    untranslated = 0
    for po in sorted(LOCALES.glob("*/LC_MESSAGES/*.po")):
        write_atomically(po, updated(po.read_bytes()))
        write_atomically(po.with_suffix(".mo"), compiled(po.read_bytes()))
        for message in missing(po.read_bytes()):
            print(f"{po}: not translated: {message!r}", file=sys.stderr)
            untranslated += 1
    return 1 if untranslated else 0


def texts() -> list[str]:
    """Return all texts of the screens, in alphabetical order."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        found.update(_texts_of_code(path))
    for path in PACKAGE.rglob("*.kv"):
        found.update(_IN_LAYOUT.findall(path.read_text(encoding="utf-8")))
    return sorted(found)


def updated(po: bytes) -> bytes:
    """Return a catalog with exactly the texts of the code, with its translations."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    old = read_po(io.BytesIO(po))
    new = Catalog(old.locale, header_comment=_HEADER, charset="utf-8", fuzzy=False)
    for text in texts():
        known = old.get(text)
        new.add(text, known.string if known is not None else "", flags={"python-brace-format"})
    file = io.BytesIO()
    write_po(file, new, width=100, omit_header=False, sort_output=True)
    # a catalog must change only with its texts, not with the time of the run
    return re.sub(_NOT_KEPT, b"", file.getvalue())


def compiled(po: bytes) -> bytes:
    """Return a catalog in the binary format of gettext, reproducible for the same texts.

    The GNU gettext manual, "The Format of GNU MO Files", defines the format: a heading, two tables
    of lengths and offsets, the texts in order, and their translations. Babel would add the time.
    """
    from babel.messages.pofile import read_po

    pairs = {str(m.id): str(m.string) for m in read_po(io.BytesIO(po)) if m.id and m.string}
    pairs[""] = "Content-Type: text/plain; charset=utf-8\n"
    texts = sorted((key.encode(), value.encode()) for key, value in pairs.items())
    data = b""
    tables: tuple[list[bytes], list[bytes]] = ([], [])
    start = 28 + 16 * len(texts)
    for column, table in enumerate(tables):
        for pair in texts:
            table.append(struct.pack("<2I", len(pair[column]), start + len(data)))
            data += pair[column] + b"\0"
    heading = struct.pack("<7I", 0x950412DE, 0, len(texts), 28, 28 + 8 * len(texts), 0, 0)
    return heading + b"".join(tables[0] + tables[1]) + data


def missing(po: bytes) -> list[str]:
    """Return the texts of the code that a catalog does not translate."""
    from babel.messages.pofile import read_po

    catalog = read_po(io.BytesIO(po))
    known = {message.id for message in catalog if message.id and message.string}
    return [text for text in texts() if text not in known]


def _texts_of_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name != "tr" or len(node.args) != 1:
            continue
        value = node.args[0]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ImportError as error:
        sys.exit(f"ERROR: catalogs need Babel: pip install babel ({error})")
    except SdkError as error:
        sys.exit(f"ERROR: {error}")

"""The pages of the documentation: links lead somewhere, all are reachable, settings are true."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from convert.cli import build_parser as convert_parser
from sdk.model.settings import DecodeSettings
from training.cli import build_parser as training_parser
from training.cli.fit import changed
from training.cli.synth import build_parser as synth_parser
from training.config import parse_config

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!`)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FILE = re.compile(
    r"(?<![\w/.])(?:sdk|training|convert|demo_app|benchmarks|tests|packaging|locks)/[\w./-]*[\w]"
)
SETTING = re.compile(r"^\| `((?:detect|recognize|retry)(?:\.\w+)+)` \| ([^|]*?) \|", re.MULTILINE)


def pages() -> list[Path]:
    """Return the Markdown files at the top and in the folders of the project."""
    folders = ("docs", "sdk", "training", "convert", "demo_app", "benchmarks", "packaging")
    inside = (path for folder in folders for path in (ROOT / folder).rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *inside])


def links(page: Path) -> list[str]:
    """Return where the links of a page lead, those out of the repository left out."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    found = LINK.findall(text)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """Return the names that headings of a page get."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    names = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in names}


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            broken.append(link)
    assert broken == []


def test_files_that_pages_name_are_there() -> None:
    # pages of results, and the list of changes, tell of the files of their day
    told = [x for x in pages() if x.name not in ("CHANGELOG.md", "RESULTS.md")]
    told = [x for x in told if x.parent.name != "results"]
    missing = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in told
        for name in FILE.findall(page.read_text(encoding="utf-8"))
        if "NAME" not in name and not (ROOT / name).exists()
    ]
    assert missing == []


def commands(program: str) -> Iterator[list[str]]:
    """Yield the arguments of a program's commands in the pages, without those with placeholders."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(rf"^    (?:\w+=\S+ )*python -m {program} (.+)$", text, re.MULTILINE):
            if not re.search(r"[…|\[]", re.sub(r'".*?"|\'.*?\'', "", line)):
                yield shlex.split(line, comments=True)


def parsed(parser: ArgumentParser, arguments: list[str]) -> Namespace:
    try:
        return parser.parse_args(arguments)
    except SystemExit:
        pytest.fail(f"not understood: {shlex.join(arguments)}")


def test_commands_in_the_pages_are_understood() -> None:
    parsers = {"training": training_parser(), "convert": convert_parser()}
    counts: Counter[str] = Counter()
    for program, parser in parsers.items():
        for command, *rest in commands(program):
            counts[command] += 1
            if command == "synth":
                parsed(synth_parser(), rest)
                continue
            options = parsed(parser, [command, *rest])
            if command == "fit":
                names = [Path(folder).name for folder in options.data]
                assert len(set(names)) == len(names), f"two sets with one name: {names}"
                options.charset = None  # may be a folder
                changed(parse_config(""), options)
    assert min(counts[name] for name in ("fit", "synth", "export", "lines", "specialize")) > 1


def test_every_page_is_reachable_from_the_index() -> None:
    seen, left = set(), [ROOT / "docs" / "index.md"]
    while left:
        page = left.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        files = (link.partition("#")[0] for link in links(page))
        left += [(page.parent / file).resolve() for file in files if file]
    assert set((ROOT / "docs").rglob("*.md")) - seen == set()


def test_architecture_lists_every_setting_with_its_default() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = dict(reversed(SETTING.findall(text)))  # the first row of a name counts
    for name, value in DecodeSettings().flat().items():
        if name.endswith(".views"):
            assert shown[name] == f"{len(value)} views"
        elif isinstance(value, list):
            assert shown[name] == ", ".join(map(str, value))
        elif isinstance(value, (bool, str)):
            assert shown[name].strip("`") == str(value).lower()
        else:
            assert float(shown[name]) == pytest.approx(value, abs=5e-4)

"""Character confusions.

Each label is aligned with its reading by the fewest edits (Levenshtein); a pair with an empty
string is an insertion or a deletion. Readings with too many edits say nothing about single
characters and are left out.
"""

from __future__ import annotations

from collections import Counter

from sdk.metrics import letters_and_digits

__all__ = ["Confusion", "align_places", "align_texts"]

# Alignments with more edits per label character than this are left out.
MAX_ERROR = 0.5

# Costs of an edit. Of alignments with equally many edits, one with a replacement is likelier than
# one with a gap.
_REPLACED, _GAP = 1000, 1001


def align_texts(wanted: str, read: str, part: bool = False) -> list[tuple[str, str]]:
    """Return pairs (wanted character, read character) with the fewest edits; "" for none.

    Args:
        wanted: The label.
        read: The reading.
        part: Whether the label may be a part of the reading. Characters read before and after the
            label then cost nothing and are left out.
    """
    return [
        ("" if i is None else wanted[i], "" if j is None else read[j])
        for i, j in _align(wanted, read, part)
    ]


def align_places(wanted: str, read: str, part: bool = False) -> list[tuple[int, bool]]:
    """Return the positions of aligned characters in the reading, and whether each is right.

    The arguments are those of `align_texts`.
    """
    return [
        (j, i is not None and wanted[i] == read[j])
        for i, j in _align(wanted, read, part)
        if j is not None
    ]


def _align(wanted: str, read: str, part: bool) -> list[tuple[int | None, int | None]]:
    """Return pairs of positions in both texts; None for a gap."""
    rows = [[0 if part else _GAP * j for j in range(len(read) + 1)]]
    for i, a in enumerate(wanted, 1):
        row, above = [_GAP * i], rows[-1]
        for j, b in enumerate(read, 1):
            same = above[j - 1] + _REPLACED * (a != b)
            row.append(min(same, above[j] + _GAP, row[-1] + _GAP))
        rows.append(row)
    i, j = len(wanted), len(read)
    if part:
        j = min(range(len(read) + 1), key=lambda k: rows[-1][k])
    pairs: list[tuple[int | None, int | None]] = []
    while i or (j and not part):
        cost = rows[i][j]
        replaced = i and j and _REPLACED * (wanted[i - 1] != read[j - 1])
        if i and j and cost == rows[i - 1][j - 1] + replaced:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and cost == rows[i - 1][j] + _GAP:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


class Confusion:
    """Counts of (wanted, read) characters, upper-cased letters and digits.

    Attributes:
        pairs: Counts; "" stands for no character.
        left_out: Number of readings with too many edits.
    """

    def __init__(self) -> None:
        """Create empty counts."""
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.left_out = 0

    def add(self, label: str, reading: str, part: bool = False) -> None:
        """Count the characters of a label and its reading; ``part`` is that of `align_texts`."""
        wanted = letters_and_digits(label)
        pairs = align_texts(wanted, letters_and_digits(reading), part)
        if sum(a != b for a, b in pairs) > MAX_ERROR * len(wanted):
            self.left_out += 1
            return
        self.pairs.update(pairs)

    def merge(self, other: Confusion) -> None:
        """Add the counts of another confusion."""
        self.pairs.update(other.pairs)
        self.left_out += other.left_out

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each pair, most frequent first."""
        return [
            {"wanted": a, "read": b, "count": n}
            for (a, b), n in sorted(self.pairs.items(), key=lambda kv: (-kv[1], kv[0]))
        ]

    def text(self, most: int = 40) -> str:
        """Return the most frequent errors, and characters by their error rate."""
        wrong = [(a, b, n) for (a, b), n in self.pairs.most_common() if a != b]
        seen: Counter[str] = Counter()
        right: Counter[str] = Counter()
        for (a, b), n in self.pairs.items():
            seen[a] += n
            right[a] += n * (a == b)
        total, errors = sum(n for c, n in seen.items() if c), sum(n for *_, n in wrong)
        lines = [
            f"{total} characters, {errors} edits; {self.left_out} readings too far off to align",
            "",
            "wanted -> read   count   share of the wanted character",
        ]
        for a, b, n in wrong[:most]:
            share = f"{n / seen[a]:.1%}" if a else ""
            lines.append(f"{a or 'nothing':>7} -> {b or 'nothing':<7} {n:5d}   {share}".rstrip())
        lines += ["", "character    seen  wrong   share   most often read as"]
        by_share = sorted((c for c in seen if c), key=lambda c: (right[c] - seen[c]) / seen[c])
        for c in by_share:
            others = [f"{b or 'nothing'} {n}" for a, b, n in wrong if a == c][:4]
            missed = seen[c] - right[c]
            lines.append(
                f"{c:<9} {seen[c]:7d} {missed:6d} {missed / seen[c]:7.1%}   {', '.join(others)}"
            )
        return "\n".join(line.rstrip() for line in lines) + "\n"

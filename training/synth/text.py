"""Random texts of products, meters, plates, receipts and signs.

Each text is a line of printable ASCII with single spaces, 1 to `MAX_LENGTH` characters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np

from training.synth.phrases import PHRASES
from training.synth.plates import NO_IOQ, sample_plate
from training.synth.vin import sample_vin

MAX_LENGTH = 32
_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_PRINTABLE = "".join(map(chr, range(33, 127)))
_MARKS = "".join(c for c in _PRINTABLE if not c.isalnum())
# Similar characters, frequent in codes so that the network learns their small differences.
_ALIKE_UPPER = "00OODQ11II55SS88BB22ZZ66G77T4AUVYCMNWHKXP3E9"
_ALIKE = _ALIKE_UPPER + "llii|joacesuvwxznhrtfgqy"
# Alphabets of codes and their weights. Real codes omit I, O and Q, so that a reader can choose
# between 0 and O by their frequency.
_ALPHABETS = (NO_IOQ + _DIGITS, NO_IOQ + _DIGITS * 3, _DIGITS, _UPPER + _DIGITS, _ALIKE_UPPER)
_ALPHABET_CHANCES = (3, 3, 2, 1, 1)
_SYSTEM_WORDS = Path("/usr/share/dict/words")

_MONTHS = tuple(PHRASES[f"months {i}"] for i in range(10))
_MONTH_CHANCES = (40, 10, 4, 5, 7, 5, 5, 5, 2, 2)

# Y four-digit year, y two digits, M month, D day, m and d without leading zero, B month name,
# J day of the year, _ the separator.
_DATES = (
    ("D_M_Y", 14), ("M_D_Y", 7), ("Y_M_D", 12), ("D_M_y", 12), ("M_D_y", 5), ("y_M_D", 4),
    ("M_Y", 9), ("M_y", 9), ("Y_M", 3), ("D_B_Y", 8), ("D_B_y", 6), ("B_D_Y", 4), ("B_D_y", 3),
    ("B_Y", 5), ("B_y", 3), ("Y_B_D", 3), ("B_D", 3), ("D_B", 3), ("d_m_y", 3), ("m_d_Y", 3),
    ("d_m_Y", 3), ("B D, Y", 2), ("B d, Y", 2), ("D_M", 2), ("YMD", 4), ("yMD", 3), ("DMy", 4),
    ("DMY", 3), ("Y J", 1), ("yJ", 2), ("J_y", 1), ("Y_B", 1), ("DBY", 4), ("DBy", 3), ("BDy", 2),
    ("BY", 2), ("By", 2),
)  # fmt: skip
_DATE_FORMATS = [name for name, _ in _DATES]
_DATE_CHANCES = [chance for _, chance in _DATES]

_DATE_WORDS = PHRASES["date words"]
_LOT_WORDS = PHRASES["lot words"]
_SERIAL_WORDS = PHRASES["serial words"]
_UNITS = PHRASES["units"]
_PAPER_WORDS = PHRASES["paper words"]
_PAPER_IDS = PHRASES["paper ids"]
_ONSETS = PHRASES["onsets"]
_VOWELS = PHRASES["vowels"]
_CODAS = ("",) * 4 + PHRASES["codas"]
_CURRENCIES = PHRASES["currencies"]
_DOMAINS = ("com", "com", "com", "net", "org", "de", "co.uk", "it", "fr", "eu", "io", "com.my")


def sample_text(rng: np.random.Generator, kind: str | None = None) -> str:
    """Return a random line of text.

    Words come from the built-in list, from syllables and, if the file exists (Debian's package
    wamerican), from /usr/share/dict/words. The same seed gives the same texts on machines with the
    same word list.

    Args:
        rng: Random generator.
        kind: One of `KINDS`; None for a random kind by the default weights.

    Returns:
        1 to `MAX_LENGTH` printable ASCII characters, with single spaces, without spaces at the
        ends.

    Raises:
        ValueError: The kind is unknown.
    """
    # Python's random generator is several times faster than NumPy's for single values
    chance = Random(int(rng.integers(1 << 62)))
    if kind is None:
        kind = chance.choices(KINDS, _KIND_CHANCES)[0]
    elif kind not in _MAKERS:
        raise ValueError(f"unknown kind of text {kind!r}: use one of {', '.join(KINDS)}")
    make = _MAKERS[kind][1]
    text = ""
    for _ in range(4):
        text = " ".join(make(chance).split())
        if 0 < len(text) <= MAX_LENGTH:
            return text
    return text[:MAX_LENGTH].rstrip()


# --- pieces ---------------------------------------------------------------------------------


def _digits(r: Random, least: int, most: int | None = None) -> str:
    """Return digits with frequent runs and leading zeros."""
    n = least if most is None else r.randint(least, most)
    out = r.choices(_DIGITS, k=n)
    style = r.random()
    if style < 0.3:
        for i in range(1, n):
            if r.random() < 0.4:
                out[i] = out[i - 1]
    elif style < 0.45:
        out[: r.randint(0, max(n - 1, 0))] = "0" * r.randint(0, max(n - 1, 0))
        out = (out + r.choices(_DIGITS, k=n))[:n]
    return "".join(out)


def _code(r: Random, least: int, most: int, alphabet: str | None = None) -> str:
    """Return a random code of one alphabet, with repeated and similar characters."""
    n = r.randint(least, most)
    if alphabet is None:
        alphabet = r.choices(_ALPHABETS, _ALPHABET_CHANCES)[0]
    out = r.choices(alphabet, k=n)
    if r.random() < 0.35:
        for i in range(1, n):
            if r.random() < 0.35:
                out[i] = out[i - 1]
    return "".join(out)


def _numbered(r: Random) -> str:
    """Return letters and a serial number with leading zeros, as on receipts and parts."""
    letters = "".join(r.choices(_UPPER, k=r.choice((1, 1, 2, 2, 3, 4))))
    number = r.randint(0, 10 ** r.randint(1, 10))
    return f"{letters}{r.choice(('', '', '', '', '-', ' '))}{number:0{r.randint(2, 10)}d}"


def _pattern(r: Random) -> str:
    """Return a code of blocks of letters and digits, with or without separators."""
    if r.random() < 0.2:
        return _numbered(r)
    separator = r.choice(("", "", "", "-", "-", " ", "/", ".", "_", ":"))
    blocks = []
    for _ in range(r.choice((1, 2, 2, 3, 3, 4))):
        u = r.random()
        if u < 0.55:
            blocks.append(_digits(r, 1, 6))
        elif u < 0.85:
            letters = NO_IOQ if r.random() < 0.7 else _UPPER
            blocks.append("".join(r.choices(letters, k=r.choice((1, 1, 2, 2, 3)))))
        else:
            blocks.append(_code(r, 2, 5))
    return separator.join(blocks)


def _cased(r: Random, word: str, style: int) -> str:
    return (word.upper(), word.capitalize(), word)[style]


def _style(r: Random) -> int:
    """Return a style: upper case, capitalized or lower case."""
    return r.choices((0, 1, 2), (48, 30, 22))[0]


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Return the built-in words in lower case."""
    lines = (Path(__file__).with_name("words.txt")).read_text(encoding="ascii").splitlines()
    words = {w for line in lines if not line.startswith("#") for w in line.split()}
    return tuple(sorted(words))


@lru_cache(maxsize=1)
def _system_vocabulary() -> tuple[str, ...]:
    if not _SYSTEM_WORDS.is_file():
        return ()
    lines = _SYSTEM_WORDS.read_text(encoding="utf-8", errors="ignore").splitlines()
    return tuple(w for w in lines if w.isascii() and w.isalpha() and 2 <= len(w) <= 14)


@lru_cache(maxsize=1)
def _doubled_vocabulary() -> tuple[str, ...]:
    """Return the words with a double letter, of which readers like to lose one."""
    words = (*_system_vocabulary(), *vocabulary())
    return tuple(word for word in words if any(a == b for a, b in pairwise(word)))


def _invented(r: Random) -> str:
    """Return a pronounceable word from syllables."""
    return "".join(
        r.choice(_ONSETS) + r.choice(_VOWELS) + r.choice(_CODAS) for _ in range(r.randint(1, 3))
    )


def _word(r: Random) -> str:
    u = r.random()
    if u < 0.2:
        return _invented(r)
    if u < 0.35:
        return r.choice(_doubled_vocabulary())
    more = _system_vocabulary()
    return r.choice(more) if more and u < 0.65 else r.choice(vocabulary())


def _join(r: Random, label: str, value: str) -> str:
    """Return a label and its value, with or without colon and space."""
    u = r.random()
    if u < 0.7:
        return f"{label} {value}"
    if u < 0.85:
        return label + value
    return f"{label.rstrip(':.')}{r.choice((':', ' : ', ': ', ' :', '.', '-', '='))}{value}"


# --- kinds ----------------------------------------------------------------------------------


def _date_value(r: Random) -> str:
    pattern = r.choices(_DATE_FORMATS, _DATE_CHANCES)[0]
    separator = r.choice(("/", "/", "/", ".", ".", "-", "-", " ", " ", ""))
    year = r.randint(1998, 2039) if r.random() < 0.3 else r.randint(2015, 2031)
    month, day = r.randint(1, 12), r.randint(1, 31)
    out = []
    for place in pattern:
        if place == "Y":
            out.append(str(year))
        elif place == "y":
            out.append(f"{year % 100:02d}")
        elif place == "M":
            out.append(f"{month:02d}")
        elif place == "D":
            out.append(f"{day:02d}")
        elif place == "m":
            out.append(str(month))
        elif place == "d":
            out.append(str(day))
        elif place == "J":
            out.append(f"{r.randint(1, 366):03d}")
        elif place == "B":
            name = r.choices(_MONTHS, _MONTH_CHANCES)[0][month - 1]
            out.append(name if r.random() < 0.75 else name.capitalize())
        elif place == "_":
            out.append(separator)
        else:
            out.append(place)
    return "".join(out)


def _date(r: Random) -> str:
    value = _date_value(r)
    u = r.random()
    if u < 0.42:
        return value
    if u < 0.80:
        return _join(r, r.choice(_DATE_WORDS), value)
    if u < 0.86:
        return f"{value} {_time(r)}"
    if u < 0.90:
        return f"{value}{r.choice((' ', ' ', ''))}{_code(r, 1, 4)}"
    if u < 0.94:
        return f"{_code(r, 4, 8)} {value}"
    if u < 0.97:
        return r.choice(_DATE_WORDS)
    return f"{value}{r.choice(('-', ' - ', ' to ', ' '))}{_date_value(r)}"


def _time(r: Random) -> str:
    hour, minute, second = r.randint(0, 23), r.randint(0, 59), r.randint(0, 59)
    u = r.random()
    if u < 0.45:
        return f"{hour:02d}:{minute:02d}"
    if u < 0.65:
        return f"{hour:02d}:{minute:02d}:{second:02d}"
    if u < 0.72:
        return f"{hour % 12 + 1}:{minute:02d}{r.choice((' AM', ' PM', 'AM', 'PM', 'am', 'pm'))}"
    if u < 0.79:
        return f"{hour % 12 + 1:02d}:{minute:02d}:{second:02d} {r.choice(('AM', 'PM', 'am'))}"
    if u < 0.84:
        return f"{hour:02d}{minute:02d}"
    if u < 0.88:
        return f"{hour:02d}.{minute:02d}"
    if u < 0.91:
        return f"{hour:02d}h{minute:02d}"
    return f"{r.choice((*_DATE_WORDS, 'Time:', 'TIME', 'Time', 'H', 'T:'))} {hour:02d}:{minute:02d}"


def _lot(r: Random) -> str:
    u = r.random()
    value = _pattern(r) if r.random() < 0.5 else _code(r, 3, 10)
    if u < 0.25:
        return value
    if u < 0.75:
        return _join(r, r.choice(_LOT_WORDS), value)
    if u < 0.83:
        return f"L{_digits(r, 4, 9)}{r.choice(('', ' ' + _code(r, 1, 3)))}"
    if u < 0.90:
        return f"{value} {_time(r)}"
    if u < 0.96:
        return f"{value} {_date_value(r)}"
    return r.choice(_LOT_WORDS)


def _serial(r: Random) -> str:
    u = r.random()
    value = _code(r, 5, 14) if u < 0.6 else _pattern(r)
    return value if r.random() < 0.5 else _join(r, r.choice(_SERIAL_WORDS), value)


def _part(r: Random) -> str:
    value = _pattern(r)
    u = r.random()
    if u < 0.2:
        value += r.choice(("-", "/", " ", "", ".")) + _code(r, 1, 3)
    if u > 0.75:
        value = _join(r, r.choice(_SERIAL_WORDS), value)
    return value


def _grouped(r: Random, value: int) -> str:
    return f"{value:,}" if r.random() < 0.6 else f"{value:,}".replace(",", r.choice(".' "))


def _number(r: Random) -> str:
    u = r.random()
    if u < 0.3:
        return str(r.randint(0, 10 ** r.randint(1, 5)))
    if u < 0.7:
        return f"{r.randint(0, 10 ** r.randint(1, 4))}{r.choice('..,')}{_digits(r, 1, 3)}"
    if u < 0.85:
        return f"{r.randint(0, 10 ** r.randint(1, 4))}{r.choice('..,')}{r.randint(0, 99):02d}"
    return _grouped(r, r.randint(1000, 10 ** r.randint(4, 7)))


def _measure(r: Random) -> str:
    text = f"{_number(r)}{r.choice(('', ' '))}{r.choice(_UNITS)}"
    u = r.random()
    if u < 0.1:
        return f"{r.choice(PHRASES['measure words'])} {text}"
    if u < 0.16:
        return f"{r.randint(1, 48)}{r.choice(('x', ' x ', 'X', '*'))}{text}"
    if u < 0.22:
        between = r.choice(("/", " / ", " ", "-", " - ", "~", "+"))
        return f"{text}{between}{_number(r)} {r.choice(_UNITS)}"
    if u < 0.26:
        return f"{r.choice('+-<>~')}{text}"
    return text


def _price(r: Random) -> str:
    amount = f"{r.randint(0, 10 ** r.randint(1, 4))}{r.choice('..,')}{r.randint(0, 99):02d}"
    u = r.random()
    if u < 0.25:
        return amount
    if u < 0.55:
        return f"${amount}"
    if u < 0.85:
        sign = r.choice(_CURRENCIES)
        return f"{sign}{r.choice(('', ' '))}{amount}" if r.random() < 0.6 else f"{amount} {sign}"
    if u < 0.93:
        return f"{amount}{r.choice(('-', '%', ' %', ' A', ' T', '*', ' SR', '/kg', '/ea', '#'))}"
    return f"{r.randint(1, 99)}{r.choice(('% OFF', '%', 'c', ' for $' + str(r.randint(1, 9))))}"


def _contact(r: Random) -> str:
    u = r.random()
    if u < 0.4:
        shape = r.choice(
            ("+# ## ### ####", "(###) ###-####", "###-###-####", "## #### ####", "0##-########",
             "1-800-###-####", "0#### ######", "+## (0)## ######", "##-########", "### ## ## ##",
             "##.##.##.##.##", "####-####", "+##########", "1800 ## ####")
        )  # fmt: skip
        number = "".join(r.choice(_DIGITS) if c == "#" else c for c in shape)
        label = r.choice(
            ("", "", "Tel ", "Tel: ", "TEL:", "Tel:", "Fax: ", "FAX ", "T ", "Ph. ", "Call ")
        )
        return label + number
    name, host = _word(r), _invented(r) if r.random() < 0.6 else _word(r)
    ending = r.choice(_DOMAINS)
    if u < 0.7:
        text = r.choice(("www.", "www.", "http://", "https://www.", "")) + f"{host}.{ending}"
        if r.random() < 0.2:
            text += f"/{_word(r)}" + r.choice(("", "?id=" + _digits(r, 2, 5), "#" + _code(r, 2, 4)))
    elif u < 0.92:
        suffix = r.choice(("", ".", "_", "-", "+")) + _digits(r, 1, 3) if r.random() < 0.5 else ""
        text = f"{name}{suffix}@{host}.{ending}"
    else:
        text = f"@{name}{r.choice(('_', '', '.'))}{_word(r)}"
    return text.upper() if r.random() < 0.15 else text


def _meter(r: Random) -> str:
    n = r.choice((1, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 7, 8))
    text = "".join(r.choices(_DIGITS, k=n))
    u = r.random()
    if u < 0.3 and n > 2:
        zeros = r.randint(1, n - 1)
        text = "0" * zeros + text[zeros:]
    if r.random() < 0.6 and n > 1:
        point = n - r.choice((1, 1, 1, 2, 2, 3))
        if point > 0:
            text = f"{text[:point]}.{text[point:]}"
    u = r.random()
    if u < 0.1:
        return f"-{text}"
    if u < 0.16:
        return f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}"
    if u < 0.19 and n <= 6:
        return f"{text[: n // 2]} {text[n // 2 :]}"
    return text


def _paper(r: Random) -> str:
    """Return a line of a receipt or another printed paper."""
    u = r.random()
    if u < 0.16:
        return f"{r.choice(_PAPER_WORDS)} {_price(r)}"
    if u < 0.44:
        value = _digits(r, 3, 13) if r.random() < 0.6 else _pattern(r)
        return _join(r, r.choice(_PAPER_IDS), value)
    if u < 0.54:
        label = r.choice(("", "", "", "Date ", "Date: ", "DATE: ", "DATE ", ": "))
        moment = f"{label}{_date_value(r)}{r.choice((' ', ' ', '  - ', ', '))}{_time(r)}"
        return f"{moment} {_numbered(r)}" if r.random() < 0.25 else moment
    if u < 0.60:
        return f"({_digits(r, 5, 12)}{r.choice(('', '-' + r.choice(_UPPER)))})"
    if u < 0.72:
        style = _style(r)
        item = " ".join(_cased(r, _word(r), style) for _ in range(r.randint(1, 3)))
        return f"{item} {_price(r)}" if r.random() < 0.6 else f"{r.randint(1, 20)} {item}"
    if u < 0.80:
        return f"{r.randint(1, 30)}{r.choice((' x ', ' X ', 'x', ' @ ', ' pcs @ '))}{_price(r)}"
    if u < 0.86:
        return _numbered(r) if r.random() < 0.3 else _digits(r, 8, 14)
    if u < 0.93:
        style = _style(r)
        street = f"{_cased(r, _word(r), style)} {r.choice(PHRASES['street words'])}"
        return r.choice(
            (
                f"{r.randint(1, 999)} {street}",
                f"{street}, {_digits(r, 5)}",
                f"NO. {r.randint(1, 99)}, {street}",
            )
        )
    return f"{r.choice(_PAPER_WORDS)}{r.choice((':', ' :', '', ' -'))}"


def _words(r: Random) -> str:
    style = _style(r)
    text = " ".join(_cased(r, _word(r), style) for _ in range(r.choice((2, 2, 2, 3, 3, 4))))
    return _punctuated(r, text, 0.2)


def _single_word(r: Random) -> str:
    text = _cased(r, _word(r), _style(r))
    u = r.random()
    if u < 0.04:
        text += "'s" if text[-1].islower() else "'S"
    elif u < 0.07:
        text += r.choice("-&/+.") + _cased(r, _word(r), _style(r))
    return _punctuated(r, text, 0.12)


def _punctuated(r: Random, text: str, chance: float) -> str:
    if r.random() >= chance:
        return text
    u = r.random()
    if u < 0.5:
        return text + r.choice(("!", "?", ".", ",", ":", ";", "...", "*", "!!", "-", "&"))
    left, right = r.choice(("()", '""', "''", "[]", "--", "**", "<>", "{}", "//", "``"))
    return f"{left}{text}{right}"


def _mixed(r: Random) -> str:
    """Return printable characters of all classes, so that none is rare."""
    n = r.randint(2, 14)
    u = r.random()
    pool = (
        _PRINTABLE if u < 0.35
        else _MARKS if u < 0.45
        else _ALIKE if u < 0.7
        else _UPPER + _LOWER + _DIGITS if u < 0.85
        else _MARKS + _DIGITS * 2 + _UPPER
    )  # fmt: skip
    out = r.choices(pool, k=n)
    for i in range(1, n):
        v = r.random()
        if v < 0.12:
            out[i] = out[i - 1]
        elif v < 0.2:
            out[i] = " "
    return "".join(out).strip() or r.choice(pool)


def _alphanumeric(r: Random) -> str:
    return _code(r, 2, 14)


def _single(r: Random) -> str:
    """Return one character, as on keys and in cells, or a short number."""
    u = r.random()
    if u < 0.45:
        return r.choice(_DIGITS)
    if u < 0.8:
        return r.choice(_UPPER)
    return str(r.randint(10, 999)) if u < 0.9 else r.choice(("-", "x", "X", "Y", "N", "+", "OK"))


def _signed(r: Random) -> str:
    """Return a number with or without sign and decimals, often with repeated digits."""
    u = r.random()
    sign = r.choice(("-", "-", "+", "(")) if u < 0.2 else ""
    text = f"{_digits(r, 1, 5).lstrip('0') or '0'}"
    v = r.random()
    if v < 0.45:
        text += f"{r.choice('....,')}{_digits(r, 1, 3)}"
    elif v < 0.55:
        text = _grouped(r, r.randint(1000, 10 ** r.randint(4, 7)))
    elif v < 0.6:
        text += "%"
    return f"({text})" if sign == "(" else f"{sign}{text}"


def _short(r: Random) -> str:
    n = r.choice((1, 1, 2, 2, 3, 3))
    u = r.random()
    pool = _DIGITS if u < 0.35 else _UPPER if u < 0.55 else _ALIKE_UPPER if u < 0.75 else _PRINTABLE
    return "".join(r.choices(pool, k=n))


_MAKERS: dict[str, tuple[float, Callable[[Random], str]]] = {
    "date": (15, _date),
    "time": (3, _time),
    "lot": (9, _lot),
    "serial": (6, _serial),
    "part": (5, _part),
    "measure": (4, _measure),
    "price": (4, _price),
    "contact": (3, _contact),
    "plate": (8, sample_plate),
    "meter": (5, _meter),
    "paper": (10, _paper),
    "word": (10, _single_word),
    "words": (6, _words),
    "mixed": (5, _mixed),
    "code": (5, _alphanumeric),
    "short": (4, _short),
    "number": (4, _signed),
    "single": (1, _single),
    "vin": (2, sample_vin),
}
KINDS = tuple(_MAKERS)
_KIND_CHANCES = [chance for chance, _ in _MAKERS.values()]

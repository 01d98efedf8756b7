"""Format words and numbers for every screen: exact integers to text, sizes to bytes, names made safe."""

from __future__ import annotations

from archcalc.errors import UsageError

GLOSSARY = {
    "parameters": "what training can change: weights, biases, norm scale and shift.",
    "statistics": "running mean and variance of batch norm; torch leaves them out, Keras counts them.",
    "fixed": "weights that are set by hand and never learned (the RBF layer of 1998).",
    "multiplies": "products of a weight and an input value (MACs).",
    "FLOPs": "2 × multiplies: one multiply and one add a product.",
    "connections": "links from an input value to an output, plus one per bias used (LeCun 1998).",
    "weight layers": "conv and linear layers on the longest way through the network.",
}

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SCALES = ((10**18, "E"), (10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K"))
_BINARY = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_BYTES = {
    **{f"{prefix}b": 1000**i for i, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}ib": 1024**i for i, prefix in enumerate("kmgt", 1)},
}
_SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}


def grouped(value: int) -> str:
    """Format 138357544 as '138,357,544'."""
    return f"{value:,}"


def scaled(value: int) -> str:
    """Format with three significant digits and a decimal prefix: 4089184256 → '4.09 G'."""
    for size, prefix in _SCALES:
        if value >= size or value * 2000 >= size * 1999:  # 999,950 rounds up to 1.00 M, not 1000 K
            digits = value / size
            places = 2 if digits < 9.995 else 1 if digits < 99.95 else 0
            return f"{digits:.{places}f} {prefix}"
    return str(value)


def binary(size: int) -> str:
    """Format bytes in binary units: 553430176 → '527.8 MiB'."""
    for unit_size, unit in _BINARY:
        if size >= unit_size:
            return f"{_tenths(size, unit_size)} {unit}"
    return f"{size} B"


def tick(value: float, in_bytes: bool = False, like: float = 0) -> str:
    """Return a round number in its own or another unit: 500000 → '500 K', '0.5 M' beside millions."""
    for size, prefix in _BINARY if in_bytes else _SCALES:
        if (like or value) >= size:
            return f"{value / size:.9g} {prefix}"
    return f"{value:.9g} B" if in_bytes else f"{value:.9g}"


def decimal_bytes(size: int) -> str:
    """Format bytes in decimal units: 60950432 → '61.0 MB'."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if size >= 10**power:
            return f"{_tenths(size, 10**power)} {unit}"
    return f"{size} B"


def percent(part: int, whole: int) -> str:
    """Return a share with one decimal: '74.3 %'; '–' for a share of nothing."""
    return f"{_tenths(100 * part, whole)} %" if whole else "–"


def ratio(base: int | None, changed: int | None) -> str:
    """Return how two counts compare: '9.68× fewer (−89.7 %)', '+512', 'same', 'new', 'gone'."""
    if base == changed:
        return "same"
    if not base or not changed:
        return "gone" if changed is None or base else "new"
    more = changed > base
    if 200 * abs(changed - base) < base:  # would read "1.00×"
        return f"{'+' if more else '−'}{grouped(abs(changed - base))}"
    factor = changed / base if more else base / changed
    times = f"{factor:.2f}× " if factor < 100 else f"{factor:.0f}× "
    change = _tenths(100 * abs(changed - base), base)
    return f"{times}{'more' if more else 'fewer'} ({'+' if more else '−'}{change} %)"


def _tenths(part: int, whole: int) -> str:
    """Format part / whole with one decimal, rounded half up on exact integers."""
    tenths = (20 * part + whole) // (2 * whole)
    return f"{tenths // 10:,}.{tenths % 10}"


def parse_count(text: str, size: int = 0) -> int:
    """Parse '5M', '1.5G', '12_000' or '600,000' as an integer; '20MB' as values of `size` bytes.

    Raises:
        UsageError: the text is no count.
    """
    clean = text.strip().replace(",", "").replace("_", "").replace(" ", "").lower()
    digits = clean.rstrip("bgikmt")
    whole, _, decimals = digits.partition(".")
    suffix = clean.removeprefix(digits)
    scale = _SUFFIXES.get(suffix) or (_BYTES.get(suffix) if size else None)
    if scale is None and suffix in _BYTES:
        raise UsageError(f"`{printable(text)}` is a size in bytes, no count; write 5000000, 5M or 1.5G")
    if scale is None or not (whole + decimals).isdecimal() or len(clean) > 30:
        raise UsageError(f"`{printable(text)}` is no count; write 5000000, 5M or 1.5G")
    tenths: int = 10 ** len(decimals)
    found = int((whole or "0") + decimals) * scale // tenths
    return found // size if suffix in _BYTES else found


def parse_integer(text: str) -> int:
    """Parse '1000', '10k', '1.5M' as a whole number.

    Raises:
        ValueError: the text is no whole number.
    """
    scale = _SUFFIXES.get(text.strip()[-1:].lower()) if text.isascii() else 0
    if not scale:
        return int(text)  # a ValueError beyond 4,300 digits, too
    sign, _, number = text.strip()[:-1].rpartition("-")
    whole, _, decimals = number.partition(".")
    if sign or not (whole + decimals).isdecimal() or len(number) > 30:
        raise ValueError
    parts: int = 10 ** len(decimals)
    found, rest = divmod(int(whole + decimals) * scale, parts)
    if rest:
        raise ValueError
    return -found if "-" in text else found


def printable(text: str) -> str:
    """Make text safe for a terminal: control, format and bidi characters as escapes, at most 200."""
    if len(text) > 200:
        text = text[:199] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def safe(text: str) -> str:
    """Make text safe for spreadsheets, which run formulas, and terminals, which obey escapes."""
    text = printable(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"

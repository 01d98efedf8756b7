"""Printed numbers: the counts that round or truncate to them, their units, and what is no number."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.audit.printed import counted, parse
from archcalc.errors import UsageError


@pytest.mark.parametrize(
    ("text", "lowest", "highest", "unit", "digits"),
    [  # lowest rounds up to the digits, highest is cut to them
        ("3.8G", 3_750_000_000, 3_899_999_999, "", 2),
        ("4.1 GMACs", 4_050_000_000, 4_199_999_999, "multiplies", 2),
        ("4.09 GFLOPs", 4_085_000_000, 4_099_999_999, "FLOPs", 3),
        ("15.5 Gops", 15_450_000_000, 15_599_999_999, "FLOPs", 3),
        ("1.5 billion multiply-adds", 1_450_000_000, 1_599_999_999, "multiplies", 2),
        ("300M MAdds", 299_500_000, 300_999_999, "multiplies", 3),
        ("300 MAdds", 299_500_000, 300_999_999, "multiplies", 3),
        ("138 million parameters", 137_500_000, 138_999_999, "parameters", 3),
        ("~60M", 59_500_000, 60_999_999, "", 2),
        ("1.5B", 1_450_000_000, 1_599_999_999, "", 2),
        ("1.5e9 FLOPs", 1_450_000_000, 1_599_999_999, "FLOPs", 2),
        ("60k neurons", 59_500, 60_999, "values", 2),
        ("25636712", 25_636_712, 25_636_712, "", 8),
        ("25,636,712", 25_636_712, 25_636_712, "", 8),
        ("25_636_712 params", 25_636_712, 25_636_712, "parameters", 8),
        ("102760448 bytes", 102_760_448, 102_760_448, "bytes", 9),
        ("102760448B", 102_760_448, 102_760_448, "bytes", 9),
        ("0.5M", 450_000, 599_999, "", 1),
        ("527.8 MiB", ceil(527.75 * 2**20), ceil(527.9 * 2**20) - 1, "bytes", 4),
    ],
)
def test_meaning(text: str, lowest: int, highest: int, unit: str, digits: int) -> None:
    printed = parse(text)
    assert (printed.unit, printed.digits) == (unit, digits)
    assert [printed.how(value) is None for value in (lowest - 1, lowest, highest, highest + 1)] == [
        *(True, False, False, True)
    ]


def test_megabytes_are_two_things() -> None:
    decimal, binary = parse("553MB").scales
    assert (decimal.worth, decimal.says) == (1_000_000, "")
    assert binary.worth == 2**20
    assert "MiB" in binary.says
    assert [scale.worth for scale in parse("553MiB").scales] == [2**20]


@given(st.integers(1, 10**15), st.sampled_from(["", "K", "M", "G"]), st.integers(0, 4))
def test_every_count_prints_as_it_is_printed(count: int, suffix: str, places: int) -> None:
    """Decimal's own rounding is the independent source of the digits."""
    scale = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}[suffix]
    number, place = Decimal(count) / scale, Decimal(1).scaleb(-places)
    for rounding in (ROUND_HALF_UP, ROUND_DOWN):
        digits = number.quantize(place, rounding)
        if digits:
            printed = parse(f"{digits}{suffix}")
            how = printed.how(count)
            if printed.whole:
                assert how == ("exact" if digits == number else None)
            elif digits == number:
                assert how == "exact"
            else:
                nearest = digits == number.quantize(place, ROUND_HALF_UP)
                assert how == ("rounds" if nearest else "truncates")


@pytest.mark.parametrize(
    ("text", "count", "wording"),
    [
        ("3.8G", 3_857_973_248, "3.8 truncates 3.858"),
        ("4.1G", 4_089_184_256, "4.1 rounds 4.089"),
        ("553MB", 553_430_176, "553 rounds 553.43"),
        ("3.8G", 3_899_999_000, "3.8 truncates 3.899999"),  # never "3.8 truncates 3.900"
        ("60k", 60_000, "60 is exact"),
        ("25636712", 25_636_712, ""),
        ("3.8G", 3_900_000_000, ""),
    ],
)
def test_wording(text: str, count: int, wording: str) -> None:
    assert parse(text).wording(count) == wording


@pytest.mark.parametrize(
    ("text", "in_billions", "in_millions"),
    [  # lowest and highest count that prints so
        ("4.09", (4_085_000_000, 4_099_999_999), (4_085_000, 4_099_999)),
        ("25.56 params", (25_555_000_000, 25_569_999_999), (25_555_000, 25_569_999)),
        ("0.42", (415_000_000, 429_999_999), (415_000, 429_999)),
        ("15470.26", (15_470_255_000_000, 15_470_269_999_999), (15_470_255_000, 15_470_269_999)),
    ],
)
def test_a_fraction_without_a_unit(
    text: str, in_billions: tuple[int, int], in_millions: tuple[int, int]
) -> None:
    """It may be one of G or of M, and says so; that is no departure, as there is no label to mean
    another."""
    printed = counted(parse(text))
    for scale, (low, high) in zip(printed.scales, (in_billions, in_millions), strict=True):
        told = [printed.how(value, scale) is None for value in (low - 1, low, high, high + 1)]
        assert told == [True, False, False, True]
        assert "without a unit" in scale.says
        assert not scale.departs


@pytest.mark.parametrize("text", ["3.8G", "25636712", "553MB", "25.557032M", "1.5e9 FLOPs", "60k", "4"])
def test_what_has_a_unit_or_all_digits_stays(text: str) -> None:
    assert counted(parse(text)) == parse(text)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        *(("1e-5", ""), ("0.009", ""), ("1000000.5", ""), ("0.00000000000000001", "")),
        *(("4.5 bytes", ""), ("218.59", "bytes")),
    ],
)
def test_a_unit_is_asked_for(text: str, quantity: str) -> None:
    """No tool prints such numbers without a unit, and megabytes are two things."""
    with pytest.raises(UsageError) as error:
        counted(parse(text), quantity)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.message == f"`{text}` is no count without a unit"
    assert "unit" in diagnostic.help


@pytest.mark.parametrize("text", ["4.0912K", "0.0000004M"])  # 4,091.15 to 4,091.3; 0.35 to 0.5
def test_no_whole_number_prints_so(text: str) -> None:
    with pytest.raises(UsageError, match="no whole number"):
        counted(parse(text))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "G",
            "nan",
            "inf",
            "-5M",
            "+5M",
            "0",
            "0.00G",
            "0x10",
            "1/3",
            "3.8.1G",
            "4,1G",
            "1,23,456",
        ),
        *("12 apples", "3.8GG", "MACs", "4 . 1G", "１２", "²M", "3.8\x1b[31mG", "\x00", "3.8G\u202e"),
        *(
            "1e99999",
            "1e19",
            "1e-19",
            "9" * 30,
            "9" * 100_000,
            "1" + ",000" * 40_000,
            "1e" + "9" * 100_000,
        ),
    ],
)
def test_no_number_is_one_clear_error(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)
    (diagnostic,) = error.value.diagnostics
    assert len(diagnostic.message) < 120
    assert diagnostic.message.isprintable()
    assert "number" in diagnostic.message or "count" in diagnostic.message

"""What a printed text claims: digits, places, bounds, sizes."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archcalc.audit.figure import Figure, is_size, same_size


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ("138,357,544", 138_357_544, "exact"),
        ("138,357,544", 138_357_545, None),  # all digits are there
        ("3.8 G", 3_749_999_999, None),
        ("3.8 G", 3_750_000_000, "rounds"),
        ("3.8 G", 3_850_000_000, "truncates"),
        ("3.8 G", 3_900_000_000, None),
        ("60 Million", 60_965_224, "truncates"),
        ("55%", Fraction(27, 49), "rounds"),  # 0.551…
        ("55%", Fraction(56, 100), None),
        ("2.78", Fraction(25, 9), "rounds"),
        ("12", Fraction(60_965_224, 6_998_552), None),  # 8.71
        ("9", Fraction(60_965_224, 6_998_552), "rounds"),
        ("> 50 %", Fraction(1, 2), None),
        ("> 50 %", Fraction(51, 100), "bounds"),
        ("< 25 million", 23_834_568, "bounds"),
        ("< 25 million", 25_000_000, None),
        ("0", 0, "exact"),
        ("0", 1, None),
    ],
)
def test_agreement(text: str, value: int | Fraction, how: str | None) -> None:
    figure = Figure.of(text)
    assert figure.agrees(value, figure.scales[0]) == how


def test_zeros_at_the_end_may_stand_for_digits() -> None:
    """650,000 is all digits, or two of them; then it is 645,000 to 659,999 as 6.5 is 6.45 to 6.59…"""
    figure = Figure.of("650,000")
    assert figure.agrees(659_272, figure.scales[0]) is None
    assert [figure.coarse.agrees(n, figure.scales[0]) for n in (644_999, 645_000, 659_999, 660_000)] == [
        None,
        "rounds",
        "truncates",
        None,
    ]
    assert Figure.of("253,440").coarse == Figure.of("253,440")  # one zero is a digit
    assert Figure.of("507.0 M").coarse == Figure.of("507.0 M")


def test_binary_thousands() -> None:
    """Table 1 of GoogLeNet: 112 K are 114,688 = 112 × 1,024 weights."""
    figure = Figure.of("112K")
    assert figure.agrees(112 * 1024, figure.scales[0]) is None
    assert figure.agrees(112 * 1024, figure.binary) == "exact"


def test_sizes() -> None:
    assert is_size("28x28xN")
    assert not is_size("28 x 28")
    assert same_size("26x26xN", (26, 26, 32))
    assert same_size("227x227", (227, 227, 3))
    assert not same_size("28x28x256", (28, 28, 416))

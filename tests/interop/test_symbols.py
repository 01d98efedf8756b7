"""Free sizes of a `.pt2`: sympy's text by whitelist, and what the symbols are set to."""

from __future__ import annotations

import pytest

from archcalc.errors import ArchError
from archcalc.interop.torch.sizes import evaluate, symbols_of
from archcalc.interop.torch.symbols import FreeSizeError, InputAxis, SizeError, settle

BATCH = InputAxis("x", 0, None, "Symbol('s0', integer=True, positive=True)", 2)
TWICE = InputAxis("x", 1, None, "Mul(Integer(2), Symbol('s1', integer=True, positive=True))", 8)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Integer(7)", 7),
        ("Symbol('s0', positive=True, integer=True)", 9),
        ("Mul(Integer(2), Symbol('s0', integer=True))", 18),
        ("Add(Integer(-1), Symbol('s0'), Symbol('s1'))", 9 - 1 + 4),
        ("FloorDiv(Symbol('s0'), Integer(2))", 4),
        ("FloorDiv(Integer(-3), Integer(2))", -2),
        ("CeilDiv(Symbol('s0'), Integer(2))", 5),
        ("Mod(Symbol('s0'), Integer(4))", 1),
        ("Pow(Symbol('s1'), Integer(3))", 64),
        ("Mul(Rational(1, 2), Symbol('s1'))", 2),
        ("Max(Integer(1), Symbol('s1'))", 4),
        ("floor(Mul(Float('0.5', precision=53), Symbol('s0')))", 4),
        ("TruncToInt(IntTrueDiv(Symbol('s0'), Integer(2)))", 4),
        ("ModularIndexing(Symbol('s0'), Integer(2), Integer(3))", 1),  # (9 // 2) mod 3
        ("(s0 - 1)//2 + 1", 5),  # as earlier versions write it
        ("2*s0**2 % 7", 162 % 7),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert evaluate(text, {"s0": 9, "s1": 4}) == value


@pytest.mark.parametrize(
    "text",
    [
        "s0.real",
        "lambda: 1",
        "[1]",
        "True",
        "1 if 1 else 2",
        "open('x')",
        "1/0",
        "2**1000",
        "1/2",
        "",
        "~1",
    ],
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(SizeError):
        evaluate(text, {"s0": 9})


def test_a_symbol_without_a_value() -> None:
    with pytest.raises(FreeSizeError, match=r"^u0$"):
        evaluate("Add(Symbol('u0'), Integer(1))", {"s0": 9})
    assert symbols_of("Add(Symbol('u0'), Max(s1, 2))") == {"u0", "s1"}


def test_the_batch_is_one_and_the_rest_is_asked_for() -> None:
    with pytest.raises(ArchError) as error:
        settle("m.pt2", [BATCH, TWICE], {}, {})
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.message == "m.pt2 leaves sizes free: s1 (axis 1 of x, 8 at export)"
    assert diagnostic.help == "give each one: --dim s1=8"
    assert settle("m.pt2", [BATCH, TWICE], {}, {"s1": 3}).values == {"s1": 3, "s0": 1}


def test_a_shape_must_be_what_its_symbols_make() -> None:
    assert settle("m.pt2", [BATCH, TWICE], {"x": (5, 6)}, {"s1": 3}).values == {"s1": 3, "s0": 5}
    with pytest.raises(ArchError) as error:
        settle("m.pt2", [BATCH, TWICE], {"x": (5, 7)}, {"s1": 3})
    assert str(error.value) == "m.pt2: axis 1 of x comes to 6, not 7"


def test_a_shape_tells_the_symbol_that_it_is_a_multiple_of() -> None:
    assert settle("m.pt2", [BATCH, TWICE], {"x": (5, 6)}, {}).values == {"s0": 5, "s1": 3}
    with pytest.raises(ArchError) as error:
        settle("m.pt2", [BATCH, TWICE], {"x": (5, 7)}, {})
    assert str(error.value) == "m.pt2: axis 1 of x cannot be 7"
    assert error.value.diagnostics[0].help == "it is 2, 4, 6, … where s1 is 1, 2, 3, …"

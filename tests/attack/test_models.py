"""Mutated model files: counted, or refused with their own place, by every command that reads them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support import model_mutants
from support.campaign import Attack, archcalc, besiege, sizes

SOUND = str(model_mutants.DATA / "pt2" / "frozen.pt2")
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("params", "{}", "--format", "json"),
    ("flops", "{}", "--census"),
    ("show", "{}", "--all"),
    ("diff", SOUND, "{}"),
    ("reconcile", "{}", "1.23M"),
    ("memory", "{}"),
    ("field", "{}"),
    ("import", "{}", "-o", "m.toml", "--force"),
    ("draw", "{}", "-o", "m.svg"),
    ("lint", "{}"),
    ("flops", "{}", "--allow-unknown", "--format", "csv"),
)
# the free sizes of the sources: those that a file does not have are refused
SIZES: tuple[Sequence[str], ...] = (
    (),
    ("batch=2",),
    ("batch=2", "length=7"),
    ("rate=16000",),
    ("s16=16", "s82=16"),
)


def attack(make: Callable[[random.Random, Path], None], name: str) -> Attack:
    def tried(chance: random.Random, number: int) -> str:
        make(chance, Path(name))
        words = [word.format(name) for word in chance.choice(COMMANDS)]
        for given in SIZES:
            sized = [word for size in given for word in ("--dim", size)]
            if (code := archcalc(*words, *sized).code) != 2:
                return ("counted", "a finding")[code]
        return "refused"

    return tried


@pytest.mark.parametrize("kind", ["pt2", "onnx", "keras"])
@sizes(80, 100_000)
def test_mutated_models(count: int, kind: str, tmp_path: Path) -> None:
    make = {"pt2": model_mutants.pt2, "onnx": model_mutants.onnx, "keras": model_mutants.keras}[kind]
    told = besiege(attack(make, f"m.{kind}"), count, tmp_path)
    assert min(told["counted"], told["refused"]) > count // 50, told

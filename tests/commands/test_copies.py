"""Networks that are too large to be executed: a smaller one of their file stands for them, in words."""

from __future__ import annotations

import pytest

import archcalc
from archcalc.execution.verify import Proof
from archcalc.reports.proofs import Verified, VerifyOptions, proved
from archcalc.reports.start import Start
from archcalc.reports.verification import by_network, findings

ASKED = VerifyOptions(Start())
NONE = {"input": "", "layers": 0, "parameters": 0, "multiplies": 0}
REASON = "takes 34.0 GiB of memory, more than there is"


@pytest.fixture(name="large")
def _large() -> Verified:
    return Verified("llama3_8b", archcalc.load("llama3_8b"), Proof((), (), 0.0, REASON))


def test_a_copy_stands_for_what_is_too_large(large: Verified) -> None:
    (copy,) = proved([archcalc.load("llama3_copy")], ASKED)
    assert [d.message for d in findings([large], ASKED)] == [f"llama3_8b: {REASON}"]
    assert findings([large, copy], ASKED) == []
    live = by_network([large, copy], [{"name": n, **NONE} for n in ("a", "b")], ASKED, [])
    assert [row["verdict"] for row in live.rows] == ["skipped", "ok"]
    _, remarks = live.finish()
    assert remarks == (
        "1 verified, 1 skipped",
        f"llama3_8b: {REASON}; llama3_copy, a network of the same layers, is verified",
    )


def test_others_do_not(large: Verified) -> None:
    """Another file, or other operators."""
    verified = Proof((), (), 0.0)
    for name in ("gpt2", "vit_b_16"):
        other = Verified(name, archcalc.load(name), verified)
        assert len(findings([large, other], ASKED)) == 1

"""Reading a spec warns of nothing: what is wrong is one error."""

from __future__ import annotations

import warnings

import pytest

import archcalc


@pytest.mark.parametrize("expression", ["1if a else 2", "0x1for a", '"relu"40if a else 1'])
def test_python_does_not_warn(expression: str) -> None:
    text = f"input = '8x8x3'\nlayers = '''conv {{{expression}}} k3 '''\n[vars]\na = 1\n"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(archcalc.ArchError):
            archcalc.load(text)
    assert told == []

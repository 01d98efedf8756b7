"""Which bundled networks become files of others: all but those that `archcalc help export` names."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sampled import two_of_each_family

import archcalc
from archcalc import load
from archcalc.errors import UsageError
from archcalc.export.onnx.writing import drafted
from archcalc.export.torch.writing import written

CANNOT = {"lenet5_1998": ("torch", "ONNX"), "llama3_8b": ("ONNX",)}
PAGE = (Path(archcalc.__file__).parent / "help" / "export.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*two_of_each_family(), *CANNOT])
def test_a_network_becomes_both_files_or_is_named_by_the_page(name: str) -> None:
    graph, refused = load(name).graph, []
    for format, make in (("torch", lambda: written(graph, name)), ("ONNX", lambda: drafted(graph))):
        try:
            make()
        except UsageError:
            refused.append(format)
    assert tuple(refused) == CANNOT.get(name, ())
    assert not refused or f"`{name}`" in PAGE

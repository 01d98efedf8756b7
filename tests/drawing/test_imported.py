"""The laws of a drawing over pictures of model files of torch, Keras and ONNX."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
from support.drawings import faults
from support.imported import RECORDED

import archcalc
from archcalc.drawing.fitting import fitting
from archcalc.drawing.layout import Drawable, Wishes, draw
from archcalc.reports.exported import exported
from archcalc.reports.start import Start

EXPORTED = """
squeezenet1_0 resnet18 googlenet mobilenet_v2 shufflenet_v2_x1_0 densenet121 efficientnet_b0 unet
mobilenet_v3_small
"""
VIEWS = {"closed": Wishes(depth=1), "one column": Wishes(columns=1), "params": Wishes(by="params")}


def test_there_are_enough() -> None:
    assert len(RECORDED) + len(EXPORTED.split()) >= 30


def laws(path: Path) -> None:
    network = archcalc.load(path)
    drawables = [Drawable(network.analyze(), network.title)]
    fitted, _ = fitting(drawables)
    for drawing in (fitted, draw(drawables)):
        assert len(drawing.boxes) > 1
        assert faults(drawing, network.graph)[:5] == []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_files(path: Path) -> None:
    laws(path)


@pytest.mark.parametrize("name", EXPORTED.split())
def test_files_that_export_writes(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.onnx"
    exported(archcalc.load(name), str(path), Start())
    laws(path)


OTHERS = [*zip((p for p in RECORDED if "torchvision" in p.parts), cycle(VIEWS), strict=False)]


@pytest.mark.parametrize(("path", "view"), OTHERS, ids=lambda value: getattr(value, "stem", value))
def test_other_views(path: Path, view: str) -> None:
    network = archcalc.load(path)
    drawing = draw([Drawable(network.analyze(), network.title, VIEWS[view])])
    assert faults(drawing, network.graph)[:5] == []

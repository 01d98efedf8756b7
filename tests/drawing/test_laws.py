"""What holds of the drawing of every bundled network: nothing crosses, overlaps, or is lost."""

from __future__ import annotations

import pytest
from support.drawings import faults
from support.sampled import one_of_each_family

import archcalc
from archcalc.drawing.fitting import fitting
from archcalc.drawing.layout import Drawable, Wishes, draw
from archcalc.drawing.measures import MEASURES


@pytest.mark.parametrize("name", one_of_each_family())
def test_the_laws_of_a_drawing(name: str) -> None:
    network = archcalc.load(name)
    drawing = draw([Drawable(network.analyze(), network.title)])
    assert faults(drawing, network.graph)[:5] == []


VIEWS = {
    "closed": Wishes(depth=1),
    "params": Wishes(by="params"),
    "one column": Wishes(columns=1),
    "many columns": Wishes(columns=9),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    "name", ["resnet50", "googlenet", "unet", "densenet121", "swin_t", "resnet1202"]
)
def test_the_laws_of_other_views(name: str, view: str) -> None:
    network = archcalc.load(name)
    drawing = draw([Drawable(network.analyze(), network.title, VIEWS[view])])
    assert faults(drawing, network.graph)[:5] == []


@pytest.mark.parametrize(("name", "depth"), [("nasnet_mobile", 1), ("hrnet_w18", 1), ("resnet50", None)])
def test_no_picture_is_endless(name: str, depth: int | None) -> None:
    """Blocks are closed, those that read several tensors as well; what is asked for is drawn."""
    network = archcalc.load(name)
    drawing, (shown,) = fitting([Drawable(network.analyze(), network.title)])
    assert faults(drawing, network.graph)[:5] == []
    assert (shown.wishes.depth, drawing.height < 2400) == (depth, True)
    layers = sorted(i for box in drawing.boxes if box.leaf for i in box.layers)
    assert layers == list(range(len(network.graph.nodes)))
    asked, _ = fitting([Drawable(network.analyze(), network.title, Wishes(depth=2))])
    assert len(asked.boxes) > len(drawing.boxes) or depth is None


@pytest.mark.parametrize("by", MEASURES)
def test_bars_of_every_measure(by: str) -> None:
    network = archcalc.load("resnet50")
    drawing = draw([Drawable(network.analyze(), network.title, Wishes(by=by))])  # type: ignore[arg-type]
    shares = [box.share for box in drawing.boxes if box.leaf]
    assert max(shares) == 1
    assert min(shares) >= 0
    expected = {
        "multiplies": network.analyze().multiplies,
        "params": network.analyze().parameters,
        "alive": network.memory().peak,
        "field": max(max(r["height"], r["width"]) for r in network.field().rows if r["height"]),
    }
    assert drawing.total == expected[by]


def test_expanded_blocks_are_drawn_one_by_one() -> None:
    """ResNet-50's stage2 has four units; the three that fold are drawn if they are asked for."""
    network = archcalc.load("resnet50")
    wishes = Wishes(expand=frozenset(["stage2"]))
    drawing = draw([Drawable(network.analyze(), network.title, wishes)])
    assert faults(drawing, network.graph) == []
    paths = {box.path for box in drawing.boxes if box.kind == "frame"}
    assert {f"stage2/bottleneck{n}" for n in ("", 2, 3, 4)} <= paths
    assert "stage3/bottleneck3" not in paths

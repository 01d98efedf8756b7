"""A drawing as JSON: its boxes, lines and texts with their places."""

from __future__ import annotations

import json

from archcalc.drawing.model import Drawing
from archcalc.views.json import SCHEMA_VERSION


def render(drawing: Drawing) -> str:
    document = {
        **drawing._asdict(),
        "boxes": [box._asdict() for box in drawing.boxes],
        "wires": [wire._asdict() for wire in drawing.wires],
        "captions": [caption._asdict() for caption in drawing.captions],
        "legend": [swatch._asdict() for swatch in drawing.legend],
    }
    told = {"schema_version": SCHEMA_VERSION, "command": "draw", "networks": [document]}
    return json.dumps(told, indent=1)

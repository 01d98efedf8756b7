"""A network as a notebook shows it: its picture, and its layers as a table."""

from __future__ import annotations

from base64 import b64encode

from archcalc.drawing.layout import PLAIN, draw
from archcalc.network import Network
from archcalc.reports.drawn import drawn
from archcalc.views import svg
from archcalc.views.html import text


def render(network: Network) -> str:
    """Return HTML; the picture is an image, so that its styles do not reach the notebook."""
    drawing = draw(drawn(network, None, PLAIN))
    data = b64encode(svg.render(drawing).encode()).decode()
    picture = f'<img alt="{text(drawing.title)}" src="data:image/svg+xml;base64,{data}">'
    return f"{picture}<details><summary>layers</summary>{network.show()._repr_html_()}</details>"

"""Where in the text the layers of a network stand: from a box to its line, and back."""

from __future__ import annotations

from archcalc.live.answer import Part, utf16
from archcalc.live.question import Question
from archcalc.views.diagnostics import places_of


def places(asked: Question) -> Part:
    """Return first character of each layer's step and the one behind it, as a browser counts them.

    Raises:
        ArchError: the text is no network.
    """
    network, text = asked.network(), asked.text
    spans = [node.span for node in network.graph.nodes]
    found = places_of(network.spec.source, dict.fromkeys(spans))
    return {"places": [[utf16(text, place) for place in found[span]] for span in spans]}

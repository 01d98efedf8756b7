"""What is seen, as a file: the picture, the table of all layers, the text, or the layers as one."""

from __future__ import annotations

from archcalc.graph.write import write
from archcalc.live.answer import Part, picture
from archcalc.live.question import Question
from archcalc.reports import show
from archcalc.reports.table import Table
from archcalc.views import render

FORMS = ("svg", "csv", "toml", "expanded")


def exported(asked: Question, form: str) -> Part:
    """Return the text of a file and what its name ends in.

    Raises:
        ArchError: the text is no network.
    """
    if form == "toml":
        return {"text": asked.text, "suffix": ".toml"}
    network = asked.network()
    if form == "expanded":
        return {"text": write(network.graph, network.title), "suffix": "-layers.toml"}
    if form == "svg":
        return {"text": picture(network, asked)["svg"], "suffix": ".svg"}
    report = show.report(network, Table("csv", None, True, False))
    return {"text": render("csv", "show", [report]), "suffix": ".csv"}

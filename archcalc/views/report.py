"""Networks → one page of pictures, tables and charts that light each other up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.drawing.layout import draw
from archcalc.reports.model import Report
from archcalc.reports.page import Ball, NetworkPage
from archcalc.reports.sweep_page import SweepPage
from archcalc.units import grouped
from archcalc.views import charts, html, svg
from archcalc.views.html import text


def render(
    networks: Sequence[NetworkPage], together: Sequence[Report], balls: Sequence[Ball], across: str
) -> str:
    """Return the page of networks, of several with their totals side by side before them."""
    title = networks[0].title if len(networks) == 1 else " · ".join(network.name for network in networks)
    body = [*_together(networks, together, balls, across)]
    for network in networks:
        body += _article(network)
    body.append('<p class="made">made by archcalc: exact counts of an architecture, for one image</p>')
    return html.page(title, body)


def _together(
    networks: Sequence[NetworkPage], together: Sequence[Report], balls: Sequence[Ball], across: str
) -> Iterator[str]:
    if len(networks) > 1:
        yield f"<h1>{text(' · '.join(network.name for network in networks))}</h1>"
        if len(balls) > 1:
            yield f"<section><figure>{charts.chart(balls, across)}</figure></section>"
        yield from map(html.section, together)


def _article(network: NetworkPage) -> Iterator[str]:
    yield f"<article><header><h1>{text(network.title)}</h1>"
    if network.paper:
        yield f"<p>{text(network.paper)}</p>"
    facts = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in network.facts
    )
    yield f"<dl>{facts}</dl></header>"
    yield f'<section><figure class="picture">{svg.render(draw(network.drawn))}</figure></section>'
    yield html.section(network.layers)
    bars = charts.bars(network.alive, network.peak)
    peak = f"{grouped(network.peak)} values at the peak, {charts.size_of(network.peak)} as float32"
    told = f"{peak}; a bar is a layer's turn, in the order of the spec."
    yield _section("Values alive at each step", f"<figure>{bars}</figure><p>{told}</p>")
    if network.fields:
        squares = charts.squares(network.fields, network.input)
        rows = [f'<li data-layers="{mark.layers}">{text(mark.told)}</li>' for mark in network.fields]
        beside = f'<div class="beside"><figure>{squares}</figure><ol>{"".join(rows)}</ol></div>'
        yield _section(f"Receptive field over {network.input} pixels", beside)
    yield from map(html.section, network.tables)
    yield "</article>"


def _section(heading: str, body: str) -> str:
    return f"<section><h2>{text(heading)}</h2>{body}</section>"


def swept(page: SweepPage) -> str:
    """Return the page of a sweep's folder: rows over two metrics with their front, spreads, a table."""
    chart = charts.spread(page.density, page.across, page.upwards)
    what = f"{grouped(page.density.rows)} rows; the line: least {page.across}, most {page.upwards}"
    body = [
        f"<header><h1>{text(page.title)}</h1></header>",
        _section(f"{page.upwards} over {page.across}", f"<figure>{chart}</figure><p>{text(what)}</p>"),
        *(
            _section(name, f"<figure>{charts.histogram(found, name)}</figure>")
            for name, found in page.spreads.items()
        ),
        *map(html.section, page.tables),
    ]
    return html.page(page.title, body)

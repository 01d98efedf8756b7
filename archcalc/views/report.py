"""Networks → one page of pictures, tables and charts that light each other up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.drawing.layout import draw
from archcalc.reports.model import Report
from archcalc.reports.page import Chart, NetworkPage
from archcalc.reports.sweep_page import SweepPage
from archcalc.units import grouped
from archcalc.views import charts, html, svg
from archcalc.views.html import text


def render(networks: Sequence[NetworkPage], together: Sequence[Report], chart: Chart | None) -> str:
    """Return the page of networks, of several with their totals side by side before them."""
    several = len(networks) > 1
    title = " · ".join(network.name for network in networks) if several else networks[0].title
    body = [f"<h1>{text(title)}</h1>"] if several else []
    body += [*_chart(chart)] if chart else []
    body += map(html.section, together)
    for network in networks:
        body += _article(network, f"{network.name}: {network.title}" if several else network.title)
    body.append('<p class="made">made by archcalc: exact counts of an architecture, for one image</p>')
    return html.page(title, body)


def _chart(chart: Chart) -> Iterator[str]:
    missing = f"without {chart.across}: {', '.join(chart.missing)}" if chart.missing else ""
    told = f"<p>{text(missing)}</p>" if missing else ""
    yield f"<section><figure>{charts.chart(chart.balls, chart.across)}</figure>{told}</section>"


def _article(network: NetworkPage, heading: str) -> Iterator[str]:
    yield f"<article><header><h1>{text(heading)}</h1>"
    if network.paper:
        yield f"<p>{text(network.paper)}</p>"
    facts = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in network.facts
    )
    yield f"<dl>{facts}</dl></header>"
    drawing = draw(network.drawn)
    room = f'style="--wide:{drawing.width:.0f}px"'
    yield f'<section><figure class="picture" {room}>{svg.render(drawing)}</figure></section>'
    yield html.section(network.layers)
    bars = charts.bars(network.alive, network.peak)
    peak = f"{grouped(network.peak)} values at the peak, {charts.size_of(network.peak)} as float32"
    told = f"{peak}; a bar is a layer's turn, in the order of the spec."
    yield _section("Values alive at each step", f"<figure>{bars}</figure><p>{told}</p>")
    if network.fields:
        fields = charts.strips if network.sequence else charts.squares
        shown = fields(network.fields, network.input)
        rows = [f'<li data-layers="{mark.layers}">{text(mark.told)}</li>' for mark in network.fields]
        beside = f'<div class="beside"><figure>{shown}</figure><ol>{"".join(rows)}</ol></div>'
        unit = "positions" if network.sequence else "pixels"
        yield _section(f"Receptive field over {grouped(network.input)} {unit}", beside)
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

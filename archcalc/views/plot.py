"""Pictures of a stored sweep, made for print: dark on white, and as clear in gray as in color."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from math import ceil, floor, log2, log10
from typing import Any

from archcalc.errors import Diagnostic, UsageError
from archcalc.sweeps.evaluation.collector import Goal
from archcalc.sweeps.metrics import IN_BYTES
from archcalc.sweeps.results.histograms import Bins, Density, Histogram
from archcalc.units import binary, scaled, tick
from archcalc.views.placing import check_suffix, put

SUFFIXES = (".svg", ".png", ".pdf")
INSTALL = "pip install 'archcalc[plot]' for pictures; without -o histograms are text"

_INK, _GRAY, _BEST = "#1b2b41", "#667180", "#c8261b"
_SHADES = ("#dbe5ee", "#92b2cd", "#41719f", "#12294a")  # ever darker, so that gray tells as much
_STYLE = {
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _GRAY,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6eaee",
    "grid.linewidth": 0.6,
    "xtick.color": _GRAY,
    "xtick.labelcolor": _INK,
    "ytick.color": _GRAY,
    "ytick.labelcolor": _INK,
    "savefig.dpi": 200,
    "svg.hashsalt": "archcalc",  # the same rows make the same file
}
_TICKS = 7
_MARKED = 60  # members of a front that get a large mark each
_TITLE = 70  # characters


def check(place: str) -> None:
    """Raise UsageError for a plot that is impossible, before any work.

    Raises:
        UsageError: the suffix is unknown, or matplotlib is missing.
    """
    check_suffix(place, SUFFIXES)
    try:
        import_module("matplotlib.figure")
    except ImportError:
        raise UsageError(Diagnostic("pictures need matplotlib", help=INSTALL)) from None


def draw_density(place: str, title: str, remark: str, goals: tuple[Goal, Goal], found: Density) -> None:
    """Draw the rows over two metrics, and their front.

    Raises:
        ArchError: the file cannot be written.
    """
    with _picture(place, title, remark, legend=True) as (figure, axes):
        for letter, goal, bins in zip("xy", goals, (found.x, found.y), strict=True):
            _scale(axes, letter, goal.name, bins)
        if found.points:
            size = min(max(20_000 / found.rows, 3), 14)
            style = {"s": size, "color": _SHADES[2], "linewidths": 0, "rasterized": True}
            axes.scatter(*zip(*found.points, strict=True), **style)
        else:
            _cells(figure, axes, found)
        _front(axes, goals, found)


def draw_cumulative(place: str, title: str, remark: str, name: str, found: Histogram) -> None:
    """Draw the share of the rows that have at most each value of a metric.

    Raises:
        ArchError: the file cannot be written.
    """
    with _picture(place, title, remark) as (_, axes):
        bins = found.bins
        _scale(axes, "x", name, bins)
        axes.set_xlabel(f"{name}, at most")
        axes.set_ylabel("share of the rows")
        axes.set_ylim(0, 103)
        axes.set_yticks(range(0, 101, 25), labels=[f"{share} %" for share in range(0, 101, 25)])
        shares = [0.0, *(100 * count / found.rows for count in found.cumulative)]
        places = [bins.edges[0], *bins.ends]
        axes.fill_between(places, shares, step="post", color=_SHADES[0], linewidth=0)
        axes.step(places, shares, where="post", color=_SHADES[3], linewidth=1.6)
        for share in (10, 50, 90):
            value = found.quantile(share)
            axes.plot(value, share, "o", color=_BEST, markersize=4.5, markeredgecolor="white")
            amount = (binary if name in IN_BYTES else scaled)(value)
            _note(axes, f"{share} %: {amount}", (value, share), (7, -9))


@contextmanager
def _picture(place: str, title: str, remark: str, legend: bool = False) -> Iterator[tuple[Any, Any]]:
    """Yield an empty figure to draw in, with room for a legend; write it at the end."""
    above = 14 if legend else 0  # points
    matplotlib = import_module("matplotlib")
    figures = import_module("matplotlib.figure")
    suffix = os.path.splitext(place)[1].lower()[1:]
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font does not have
        matplotlib.rcdefaults()  # whatever the user's own settings are
        matplotlib.rcParams.update(_STYLE)
        figure = figures.Figure(figsize=(6.4, 4.4), layout="constrained")
        axes = figure.add_subplot()
        cut = title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"
        axes.set_title(cut, loc="left", pad=20 + above, fontsize=11, fontweight="bold", parse_math=False)
        _note(axes, remark, (0, 1), (0, 8 + above), xycoords="axes fraction", color=_GRAY)
        yield figure, axes
        made = io.BytesIO()
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
        figure.savefig(made, format=suffix, metadata=undated)
    put(place, made.getvalue())


def _note(
    axes: Any, text: str, place: tuple[float, float], offset: tuple[int, int], **style: Any
) -> None:
    """Write text beside a place, offset by a number of points."""
    axes.annotate(
        text, place, offset, textcoords="offset points", fontsize=8.5, parse_math=False, **style
    )


def _scale(axes: Any, letter: str, name: str, bins: Bins) -> None:
    """Set the limits, ticks and label of the x or y axis."""
    low, high = _sides(bins)[0], _sides(bins)[-1]
    margin = (high / low) ** 0.02 if bins.log else (high - low) * 0.02
    limits = (low / margin, high * margin) if bins.log else (low - margin, high + margin)
    places = ticks(bins, name in IN_BYTES)
    axes.set(**{f"{letter}scale": "log" if bins.log else "linear", f"{letter}label": name})
    axes.minorticks_off()
    like = 0 if bins.log and places[-1] >= 10 * places[0] else places[-1]
    texts = [tick(place, name in IN_BYTES, like) for place in places]
    getattr(axes, f"set_{letter}ticks")(places, labels=texts)
    getattr(axes, f"set_{letter}lim")(*limits)


def _sides(bins: Bins) -> list[float]:
    """Return the edges of cells, so that the values of a cell lie around its middle."""
    half = 0 if bins.log else bins.step / 2
    return [edge - half for edge in bins.edges]


def _cells(figure: Any, axes: Any, found: Density) -> None:
    """Shade each cell by the number of its rows; empty cells stay blank."""
    colors = import_module("matplotlib.colors")
    shades = colors.LinearSegmentedColormap.from_list("density", _SHADES)
    most = int(found.cells.max())
    cells = [[count or float("nan") for count in row] for row in found.cells.T.tolist()]
    sides = _sides(found.x), _sides(found.y)
    norm = colors.LogNorm(1, max(most, 2))
    drawn = axes.pcolormesh(*sides, cells, cmap=shades, norm=norm, rasterized=True)
    bar = figure.colorbar(drawn, ax=axes, fraction=0.04, pad=0.02, aspect=24, shrink=0.5)
    bar.outline.set_visible(False)
    bar.minorticks_off()
    places = [10**power for power in range(len(str(most)))]
    bar.set_ticks(places, labels=[tick(place) for place in places])
    bar.ax.tick_params(length=0, labelsize=8)
    bar.set_label("rows a cell", fontsize=8)


def _front(axes: Any, goals: tuple[Goal, Goal], found: Density) -> None:
    """Draw the best y available at each x, as a line whose corners are the members."""
    effects = import_module("matplotlib.patheffects")
    label = f"front of {' and '.join(map(_wanted, goals))}: {found.best}"
    few = len(found.front) <= _MARKED
    casing = effects.withStroke(linewidth=0 if found.points else 3.2, foreground="white")
    axes.plot(
        *zip(*found.front, strict=True),
        drawstyle="steps-pre" if goals[0].most else "steps-post",
        color=_BEST,
        linewidth=0.9 if found.points else 1.4,
        marker="o" if found.points or few else "",
        markersize=3.8 if few else 2.4,
        path_effects=[casing],
        label=label,
    )
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1.015), "borderaxespad": 0, "borderpad": 0}
    axes.legend(frameon=False, fontsize=8.5, handlelength=1.6, **place)


def _wanted(goal: Goal) -> str:
    """Return 'least peak' or 'most output'."""
    return f"{'most' if goal.most else 'least'} {goal.name}"


def ticks(bins: Bins, in_bytes: bool) -> list[float]:
    """Return a few round numbers between the ends, at least three if there are."""
    low, high = bins.edges[0], bins.ends[-1]
    if low == high:
        return [low]
    if bins.log:
        found = _powers_of_two(low, high) if in_bytes else _decades(low, high)
        if len(found) >= 3:
            return found
    unit = 1 << 10 * int(log2(max(high, 1)) // 10) if in_bytes else 1
    step = max((high - low) / (_TICKS - 1), 1) / unit
    power = 10.0 ** floor(log10(step))
    step = unit * power * next(digit for digit in (1, 2, 5, 10) if digit * power >= step * 0.999999)
    return [i * step for i in range(ceil(low / step), floor(high / step) + 1)]


def _powers_of_two(low: int, high: int) -> list[float]:
    first, last = ceil(log2(low)), floor(log2(high))
    return [1 << i for i in range(first, last + 1, (last - first) // _TICKS + 1)]


def _decades(low: int, high: int) -> list[float]:
    """Return 1, 2 and 5 of each power of ten, or 1 and 3, or 1, or fewer."""
    first, last = floor(log10(low)), ceil(log10(high))
    for digits, every in (((1, 2, 5), 1), ((1, 3), 1), *(((1,), every) for every in range(1, last + 2))):
        places = [digit * 10**power for power in range(first, last + 1, every) for digit in digits]
        found = [place for place in places if low <= place <= high]
        if len(found) <= _TICKS:
            return list(found)
    return []

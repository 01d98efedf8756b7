"""Define the parts of a table of a tool's rules, and the number formats of the tools.

A table states the rules in a tool's own source at the named version: for each quantity what every
class of module adds to a sum, 0 where it adds nothing. A module not in the table is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archcalc.tuples import NamedTuple

Rules = Mapping[str, str]  # module → '2 outputs + products'; ANY: every module without an entry
Sums = Mapping[str, int]

ANY = ""


class ToolCount(NamedTuple):
    """A quantity of a tool: its rule in words, sums by name with their rules, how it is printed.

    `ours` is the rule of archcalc's own count, `unit` the unit of both and of archcalc's.
    `kinds` gives the kind of sums (see archcalc.audit.conventions) that are not the command's own kind,
    `whole` the name of the total of all sums, `base` the value of K in the tool's unit.
    """

    says: str
    unit: str
    ours: str
    sums: Mapping[str, Rules]
    prints: Callable[[Sums], tuple[str, ...]]
    kinds: Mapping[str, str] = {}
    whole: str = ""
    base: int = 1000


class NoCount(NamedTuple):
    """The reason why a tool has no such quantity, and what to ask for instead."""

    message: str
    help: str


class Tool(NamedTuple):
    """A tool at the version whose source was read; `counts` by command.

    `why` gives by module the reason why a count leaves out a part of it; `fails` names the modules
    on which the tool itself stops, and why.
    """

    name: str
    version: str
    library: str
    counts: Mapping[str, ToolCount | NoCount]
    why: Mapping[str, str] = {}
    fails: Mapping[str, str] = {}


def sums(tool: Tool, quantity: str, title: str = "") -> list[Rules]:
    """Return the tables of a quantity: all that are summed, or the one with that title."""
    count = tool.counts[quantity]
    assert isinstance(count, ToolCount)
    return [count.sums[title]] if title else list(count.sums.values())


def each(modules: str, rule: str) -> dict[str, str]:
    """Return one rule for several modules."""
    return dict.fromkeys(modules.split(), rule)


def free(*groups: str) -> dict[str, str]:
    """Return a rule of zero for modules that a tool inspects, or cannot see, but does not count."""
    return {"side outputs": "0", **each(" ".join(groups), "0")}


def megabytes(size: int) -> str:
    return f"{size / 1e6:0.2f}"


def units(count: int) -> str:
    """Format as torchinfo/model_statistics.py, to_readable and format_output_num (Python 3.11)."""
    size, name = 1e6, "MEGABYTES"
    if count >= 1e9:
        size, name = (1e12, "TERABYTES") if count >= 1e12 else (1e9, "GIGABYTES")
    scaled = count / size
    return f"(Units.{name}): {int(scaled) if scaled.is_integer() else format(scaled, ',.2f')}"


def clever(count: int) -> str:
    """Format as thop/utils.py, clever_format."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if count > size:
            return f"{count / size:.2f}{letter}"
    return f"{count:.2f}B"


def size(count: float) -> str:
    """Format as keras/src/utils/summary_utils.py, readable_memory_size."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if count / 1024 < 1:
            return f"{count:.2f} {unit}"
        count /= 1024
    return f"{count:.2f} PB"


def only(sums: Sums) -> int:
    (count,) = sums.values()
    return count


def thop_lines(name: str) -> Callable[[Sums], tuple[str, ...]]:
    return lambda sums: (
        f"{name}: {float(only(sums))}",
        f"clever_format({name}): {clever(only(sums))}",
    )


def sizes_in_megabytes(sums: Sums) -> tuple[str, ...]:
    sizes = {**sums, "Estimated Total Size (MB)": sum(sums.values())}
    return tuple(f"{title}: {megabytes(size)}" for title, size in sizes.items())


def summary_lines(bytes_each: int) -> Callable[[Sums], tuple[str, ...]]:
    """Format as keras/src/utils/summary_utils.py, print_summary; sums are numbers or bytes of 4 each."""

    def lines(sums: Sums) -> tuple[str, ...]:
        counts = {title: count // bytes_each for title, count in sums.items()}
        counts = {"Total params": sum(counts.values()), **counts}
        return tuple(f"{title}: {n:,} ({size(4 * n)})" for title, n in counts.items())

    return lines

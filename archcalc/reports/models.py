"""Report model files: parameters, work and shapes by module, as they are in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

from archcalc.imported import DEEPEST, Model, Tensors, output_of, parameters_of
from archcalc.interop.modules import Gathered
from archcalc.interop.tally import Use
from archcalc.reports.model import Column, Ranked, Report
from archcalc.reports.table import Table
from archcalc.units import binary, grouped, printable, scaled

MOST_ROWS = 40  # of a table without --depth and --all
MOST_NAMED = 4  # weights in a remark
NORMS = ("scale", "shift")
PARAMETERS = (
    Column("layer", "module", "name"),
    Column("class", "class", "text", spare=2),
    Column("weights", "weights", "count"),
    Column("biases", "biases", "count", hide_empty=True),
    Column("norms", "norms", "count", hide_empty=True),
    Column("parameters", "parameters", "count"),
    Column("statistics", "statistics", "count", spare=5, hide_empty=True),
    Column("share", "share", "share", spare=3),
    Column("bar", "", "bar", spare=4),
)
WORK = (
    Column("layer", "module", "name"),
    Column("class", "class", "text", spare=1),
    Column("output", "output", "text", spare=3),
    Column("multiplies", "multiplies", "count"),
    Column("share", "share", "share", spare=2),
    Column("bar", "", "bar", spare=4),
)
LAYERS = (
    Column("layer", "module", "name"),
    Column("class", "class", "text", spare=2),
    Column("output", "output", "text", spare=1),
    Column("parameters", "parameters", "count"),
    Column("multiplies", "multiplies", "count"),
)
TENSORS = (
    Column("layer", "module", "name"),
    Column("tensors", "tensors", "count", spare=2),
    Column("shapes", "shapes", "text", spare=3),
    Column("dtype", "type", "text", spare=1),
    Column("numbers", "numbers", "count"),
    Column("bytes", "bytes", "count"),
)
KINDS = ("multiplies", "additions", "comparisons", "divisions", "exponentials", "powers", "roots")
CENSUS = (Column("layer", "operation", "name"), *(Column(k, k, "count", hide_empty=True) for k in KINDS))


def parameters(model: Model, table: Table) -> Report:
    """Return the parameters by module, and the other numbers of the file."""
    rows = [(m, _roles(m.uses)) for m in _modules(model, table, lambda m: bool(m.uses))]
    whole = model.parameters
    cells = tuple(
        {
            **_named(m),
            **roles,
            "share": (roles["parameters"], whole),
            "bar": (roles["parameters"], whole),
        }
        for m, roles in rows
    )
    total = {"layer": "total", **_roles(model.weights)}
    remarks = (f"size: {binary(model.bytes)} in the file's own types", *_weights(model), *_about(model))
    return _report(model, PARAMETERS, cells, total, remarks)


def tensors(file: Tensors, table: Table) -> Report:
    """Return the tensors of a file of weights by module, with their types and bytes."""
    held = file.table.tensors
    modules = file.modules(DEEPEST if table.all else table.depth or DEEPEST)
    if not table.all and not table.depth and len(modules) > MOST_ROWS:
        shallow = (file.modules(depth) for depth in (4, 3, 2, 1))
        modules = next((m for m in shallow if len(m) <= MOST_ROWS), file.modules(1))
    cells = tuple(
        {
            "layer": printable(path) or "(model)",
            "tensors": len(names),
            "shapes": ", ".join(_shape(held[name].shape) for name in names) if len(names) < 4 else "",
            "dtype": " ".join(dict.fromkeys(held[name].dtype for name in names)),
            "numbers": sum(prod(held[name].shape) for name in names),
            "bytes": sum(held[name].end - held[name].begin for name in names),
        }
        for path, names in modules.items()
    )
    sums = {"numbers": file.table.numbers, "bytes": file.table.bytes}
    total = {"layer": "total", "tensors": len(held), **sums}
    pairs = list(file.table.same.items())[:MOST_NAMED]
    same = "; ".join(f"{printable(a)} = {printable(b)}" for a, b in pairs)
    remarks = (f"size: {binary(file.table.bytes)}", *([f"counted once, as one: {same}"] if same else []))
    name = printable(file.name)
    return Report(
        f"{name} · {len(held)} tensors", TENSORS, cells, total, remarks, lambda: [_table_of(file)], name
    )


def _table_of(file: Tensors) -> dict[str, Any]:
    return {
        "name": file.name,
        "numbers": file.table.numbers,
        "bytes": file.table.bytes,
        "same": file.table.same,
        "tensors": [
            {"name": n, "dtype": e.dtype, "shape": list(e.shape), "bytes": e.end - e.begin}
            for n, e in file.table.tensors.items()
        ],
    }


def work(model: Model, table: Table, protocol: dict[str, int], census: bool) -> Report:
    """Return the multiplies by module, or the census by operation.

    `protocol` gives the numbers of images, crops and networks; their product multiplies all work.
    """
    factor = prod(protocol.values())
    made = _census(model, factor) if census else _work(model, table, factor)
    return made._replace(documents=lambda: [{**document(model, factor), "protocol": protocol}])


def _work(model: Model, table: Table, factor: int) -> Report:
    whole = factor * model.multiplies
    cells = tuple(
        {
            **_named(m),
            "output": _output(m, model),
            "multiplies": (own := factor * m.counts.products),
            "share": (own, whole),
            "bar": (own, whole),
        }
        for m in _modules(model, table, lambda m: bool(m.counts.products))
    )
    short = f" ({scaled(2 * whole)}FLOPs)" if whole >= 500 else ""
    flops = f"FLOPs: {grouped(2 * whole)}{short}, 2 a multiply"
    total = {"layer": "total", "multiplies": whole}
    return _report(model, WORK, cells, total, (flops, *_about(model)))


def layers(model: Model, table: Table) -> Report:
    """Return modules with their output shapes, in the file's own order of axes."""
    wanted = _modules(model, table, lambda m: bool(m.uses or m.counts.products))
    cells = tuple(
        {
            **_named(m),
            "output": _output(m, model),
            "parameters": parameters_of(m),
            "multiplies": m.counts.products,
        }
        for m in wanted
    )
    total = {"layer": "total", "parameters": model.parameters, "multiplies": model.multiplies}
    inputs = ", ".join(f"{n} {_shape(model.trace.tensors[n].shape)}" for n in model.trace.inputs)
    remarks = (f"inputs: {printable(inputs)}", *unused(model), *_about(model))
    return _report(model, LAYERS, cells, total, remarks)


def _report(
    model: Model,
    columns: tuple[Column, ...],
    cells: tuple[dict[str, Any], ...],
    total: dict[str, Any],
    remarks: tuple[str, ...],
) -> Report:
    if not model.complete:
        count = len(model.tally.unknown)
        told = f"at least so much: {count} unknown operation{'s are' if count > 1 else ' is'} left out"
        remarks = (told, *remarks)
        total = {**total, "layer": "at least"}
    title = f"{printable(model.title)} · {printable(model.trace.source)}"
    return Report(
        title, columns, cells, total, remarks, lambda: [document(model)], printable(model.name)
    )


def _modules(model: Model, table: Table, matters: Callable[[Gathered], bool]) -> list[Gathered]:
    """Return the modules at the depth asked for, else at the largest depth that fits a screen."""
    if table.all or table.depth:
        found = model.modules(DEEPEST if table.all else table.depth or 1)
        return [m for m in found if table.all or matters(m)]
    rows = [m for m in model.modules() if matters(m)]
    for depth in range(6, 0, -1):
        if len(rows) <= MOST_ROWS:
            break
        rows = [m for m in model.modules(depth) if matters(m)]
    return rows


def _named(module: Gathered) -> dict[str, str]:
    return {"layer": printable(module.name) or "(model)", "class": printable(module.cls)}


def _roles(uses: tuple[Use, ...]) -> dict[str, int]:
    """Count numbers by role, without constants."""
    found = dict.fromkeys(("weights", "biases", "norms", "parameters", "statistics"), 0)
    for use in uses:
        if use.weight.kind == "buffer":
            found["statistics"] += use.size
        elif use.weight.kind == "parameter":
            role = "norms" if use.role in NORMS else "biases" if use.role == "bias" else "weights"
            found[role] += use.size
            found["parameters"] += use.size
    return found


def _output(module: Gathered, model: Model) -> Ranked:
    shape = output_of(module, model.trace)
    return Ranked(_shape(shape), prod(shape))


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"


def _weights(model: Model) -> Iterator[str]:
    """Yield remarks on unused, frozen and shared parameters, and on constants."""
    yield from unused(model)
    if model.frozen:
        train = grouped(model.parameters - model.frozen)
        yield f"frozen: {grouped(model.frozen)} of them; {train} train"
    storages: dict[str, list[str]] = {}
    for weight in model.trace.weights:
        storages.setdefault(weight.storage, []).append(printable(weight.name))
    tied = [" = ".join(names[:MOST_NAMED]) for names in storages.values() if len(names) > 1]
    if tied:
        yield f"counted once, as one: {'; '.join(tied[:MOST_NAMED])}"
    constants = sum(use.size for use in model.weights if use.weight.kind == "constant")
    if constants:
        yield f"constants: {grouped(constants)} numbers that are no parameters, as of masks and tables"


def unused(model: Model) -> Iterator[str]:
    """Yield a remark on the parameters of the file that no layer uses."""
    found = [use for use in model.tally.unused if use.weight.kind == "parameter"]
    if found:
        names = ", ".join(printable(use.weight.name) for use in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        held = grouped(model.tally.parameters_of_the_file)
        yield f"in the file: {held} parameters; no layer uses {names}{more}"


def _about(model: Model) -> tuple[str, ...]:
    return tuple(printable(note) for note in model.trace.notes)


def _census(model: Model, factor: int) -> Report:
    """Return all work by operation, in the order of first use."""
    groups: dict[str, Any] = {}
    for row in model.tally.rows:
        word = row.operation.word
        groups[word] = groups[word].plus(row.counts) if word in groups else row.counts
    cells = tuple(
        {"layer": word, **_kinds(counts, factor)} for word, counts in groups.items() if any(counts)
    )
    total = {"layer": "total", **_kinds(model.counts, factor)}
    products = grouped(factor * model.multiplies)
    remark = f"{products} of them are products of weighted layers and attention."
    return _report(model, CENSUS, cells, total, (remark, *_about(model)))


def _kinds(counts: Any, factor: int) -> dict[str, int]:
    kinds: dict[str, int] = counts.times(factor)._asdict()
    kinds["multiplies"] += kinds.pop("products")
    return kinds


def document(model: Model, factor: int = 1) -> dict[str, Any]:
    """Return the whole model as JSON, its work times `factor`; counts that are not known are None."""
    known = model.complete
    return {
        "name": model.name,
        "title": model.title,
        "source": model.trace.source,
        "complete": known,
        "unknown": [operation.place for operation in model.tally.unknown],
        "parameters": model.parameters if known else None,
        "parameters_in_file": model.tally.parameters_of_the_file,
        "frozen": model.frozen,
        "statistics": _roles(model.weights)["statistics"],
        "bytes": model.bytes,
        "multiplies": factor * model.multiplies if known else None,
        "census": _kinds(model.counts, factor) if known else None,
        "inputs": {name: list(model.trace.tensors[name].shape) for name in model.trace.inputs},
        "notes": list(model.trace.notes),
        "modules": [
            {
                "path": m.name,
                "class": m.cls,
                "output": list(output_of(m, model.trace)),
                "parameters": parameters_of(m),
                "multiplies": factor * m.counts.products,
            }
            for m in model.modules()
        ],
    }

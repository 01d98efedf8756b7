"""A `.pt2` file as a trace: the member that holds the graph, its version, the sizes asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.errors import ArchError, Diagnostic
from archcalc.interop.archive import Archive
from archcalc.interop.documents import MOST_JSON, parsed
from archcalc.interop.torch.graph import Builder, GraphError, TraceNames
from archcalc.interop.torch.symbols import FreeSizeError, SizeError, SymbolValues, axes_of, settle
from archcalc.interop.torch.weights import Signature, signature, storages, tied
from archcalc.interop.trace import StoredWeight, Trace

MAJOR = 8  # of torch's schema; every minor only adds fields
_OLD = "serialized_exported_program.json"
_FREE = "an expression of sizes"


def read(archive: Archive, inputs: Mapping[str, tuple[int, ...]], dims: Mapping[str, int]) -> Trace:
    """Return the model in an archive.

    Args:
        inputs: shapes of inputs by name, including the batch, where the file leaves sizes free.
        dims: values of free sizes by their names in the file.

    Raises:
        ArchError: the archive has no graph, one of another version, or one that contradicts itself.
    """
    label, member = archive.label, graph_member(archive)
    program = decode(archive, member)
    version = _version(label, program)
    try:
        written = program["graph_module"]
        found = signature(written["signature"])
        axes = axes_of(found.inputs, written["graph"]["tensor_values"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _unlike_torch(label, "its signature") from error
    try:
        settled = settle(label, axes, inputs, dims)
    except SizeError as fact:
        raise ArchError(f"{label}: a size of an input cannot be read: {fact}") from fact
    torch = program.get("torch_version")
    source = f"torch.export {version}" + (f", torch {torch}" if isinstance(torch, str) else "")
    return _trace(archive, member, written["graph"], found, settled, source)


def graph_member(archive: Archive) -> str:
    """Return the member that holds the graph: of torch 2.7 and before, or of later ones.

    Raises:
        ArchError: there is none.
    """
    names = [name for name in archive.members if _graph_name(name)]
    climbing = [name for name in archive.members if ".." in name.replace("\\", "/").split("/")]
    if climbing:
        raise ArchError(f"{archive.label}: its member {climbing[0]} climbs out of the archive")
    if len(names) == 1:
        return names[0]
    if names:
        message = f"{archive.label} holds {len(names)} graphs: {', '.join(sorted(names)[:5])}"
        help = "each in a file of its own is read: torch.export.save(ep, 'model.pt2')"
        raise ArchError(Diagnostic(message, help=help))
    compiled = any("/aotinductor/" in name for name in archive.members)
    what = "compiled code, and no graph" if compiled else "no graph of torch.export"
    raise ArchError(
        Diagnostic(
            f"{archive.label} holds {what}",
            help="torch.export.save(torch.export.export(model.eval(), (x,)), 'model.pt2')",
        )
    )


def _graph_name(name: str) -> bool:
    parts = name.split("/")
    return name == _OLD or (len(parts) <= 3 and parts[-2:-1] == ["models"] and name.endswith(".json"))


def decode(archive: Archive, member: str) -> Any:
    """Return the JSON of a member.

    Raises:
        ArchError: the member is no JSON, or would take more memory than any model's graph.
    """
    return parsed(archive.read(member, MOST_JSON), f"{archive.label}: {member}")


def _version(label: str, program: Any) -> str:
    try:
        version = program["schema_version"]
        major, minor = int(version["major"]), int(version["minor"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unlike_torch(label, "its schema version") from error
    if major != MAJOR:
        raise ArchError(
            Diagnostic(
                f"{label} is of torch.export's schema {major}.{minor}; archcalc reads {MAJOR}.x",
                help=f"export it with a torch that writes schema {MAJOR} (2.4 and later)",
            )
        )
    return f"{major}.{minor}"


def _unlike_torch(label: str, what: str) -> ArchError:
    return ArchError(f"{label}: {what} is not written as torch writes it")


class _Sizes:
    """Evaluates sizes; each text once."""

    def __init__(self, values: Mapping[str, int]) -> None:
        self.values = values
        self.known: dict[str, int] = {}

    def __call__(self, size: Mapping[str, Any]) -> int:
        from archcalc.interop.torch.sizes import evaluate

        text = str(size["as_expr"]["expr_str"])
        if text not in self.known:
            try:
                self.known[text] = evaluate(text, self.values)
            except FreeSizeError as fact:
                raise GraphError(f"the size {fact} depends on values that only a run knows") from fact
            except SizeError as fact:
                raise GraphError(f"a size cannot be read: {fact}") from fact
        return self.known[text]


def _trace(
    archive: Archive,
    member: str,
    graph: Mapping[str, Any],
    found: Signature,
    settled: SymbolValues,
    source: str,
) -> Trace:
    builder, scope = Builder(_Sizes(settled.values)), TraceNames(graph, "", 0)
    try:
        weights = _weights(archive, member, builder, scope, found)
        inputs = tuple([builder.make(scope, name) for name in found.inputs])
        builder.nodes(scope)
        outputs = tuple([builder.value(scope.names[name]) for name in found.outputs])
    except GraphError as fact:
        raise ArchError(f"{archive.label}: {fact.place + ': ' if fact.place else ''}{fact}") from fact
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise _unlike_torch(archive.label, "its graph") from error
    unheld = [weight for weight in weights if weight.storage == weight.name]
    shared = tied(unheld, builder.operations, builder.tensors)
    weights = tuple(w._replace(storage=shared.get(w.name, w.storage)) for w in weights)
    return Trace(
        archive.label,
        source,
        inputs,
        outputs,
        builder.tensors,
        weights,
        builder.modules,
        tuple(builder.operations),
        settled.notes + _mode(builder),
    )


def _weights(
    archive: Archive, member: str, builder: Builder, scope: TraceNames, found: Signature
) -> tuple[StoredWeight, ...]:
    held = _held(archive, member)
    metas = scope.metas
    return tuple(
        StoredWeight(
            name,
            builder.make(scope, tensor),
            kind,
            kind == "parameter" and metas[tensor].get("requires_grad") is True,
            held.get(name, name),
        )
        for name, kind, tensor in found.weights
    )


def _held(archive: Archive, member: str) -> dict[str, str]:
    """Return the storage of each weight, if the archive has it outside of pickles (torch ≥ 2.8)."""
    root, name = member.rpartition("models/")[0], member.rpartition("/")[2].removesuffix(".json")
    config = f"{root}data/weights/{name}_weights_config.json"
    if config not in archive.members:
        return {}
    try:
        return storages(decode(archive, config)["config"])
    except (KeyError, TypeError, AttributeError) as error:
        raise _unlike_torch(archive.label, "its table of weights") from error


def _mode(builder: Builder) -> tuple[str, ...]:
    for operation in builder.operations:
        if operation.attributes.get("training") is True or operation.attributes.get("train") is True:
            return ("exported in training mode: norms and dropout are counted as at inference",)
    return ()

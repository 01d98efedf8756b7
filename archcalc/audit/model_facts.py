"""Counts of a model file that no sum of conventions makes: what lies in it, its modules, its census."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archcalc.audit.convention import DEFAULTS
from archcalc.audit.facts import OF_PART, OF_TERM, fitting, told
from archcalc.audit.model_file import COUNTS, ModelFile
from archcalc.audit.model_tools import by_tools
from archcalc.audit.printed import Printed
from archcalc.audit.ratios import FoundPairs, Pair, Ratio, among, shares
from archcalc.audit.readings import Reading, Summand
from archcalc.audit.search import Findings, choose
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.imported import Model
from archcalc.interop.tally import Use
from archcalc.units import printable

OF_FILE = 9  # its weight beside those of conventions


def find(model: Model, printed: Printed, quantity: str = "") -> Findings:
    """Return the readings of a model file that print as `printed`.

    Args:
        quantity: what the number counts, if its own unit does not say.

    Raises:
        ArchError: operations are unknown, so that no count is exact.
        UsageError: the number counts what a file does not tell.
    """
    if not model.complete:
        raise _inexact(model)
    asked = printed.unit or quantity
    if asked in ("values", "connections"):
        help = "--quantity parameters, multiplies, FLOPs or bytes; a spec of the network has its maps"
        message = f"nothing is known of the {asked} that {printable(model.name)} holds"
        raise UsageError(Diagnostic(message, help=help))
    file = ModelFile(model)
    facts = sorted(
        fitting(_facts(file, printed.whole), asked, printed.whole), key=lambda fact: fact.steps
    )
    return choose(file, lambda: facts, printed, asked)


def find_ratio(model: Model, ratio: Ratio) -> FoundPairs:
    """Return the shares of modules and kinds of operations that have the ratio.

    Raises:
        ArchError: operations are unknown, so that no count is exact.
    """
    if not model.complete:
        raise _inexact(model)
    file = ModelFile(model)
    pairs: list[Pair] = []
    for quantity, count in COUNTS.items():
        kinds = {f"{word} operations": n for word, n in file.by_word(count).items()}
        total = sum(map(count, model.tally.rows))
        pairs += shares(quantity, kinds, file.by_module(count), total, ".")
    return among(pairs, ratio)


def _inexact(model: Model) -> ArchError:
    """Refuse a ratio or number of what is only counted in part."""
    count = len(model.tally.unknown)
    says = f"{count} operations" if count > 1 else "an operation"
    help = "`archcalc flops --allow-unknown` tells what is known of it"
    message = f"{printable(model.name)} holds {says} that archcalc does not know: no count is exact"
    return ArchError(Diagnostic(message, help=help))


def _facts(file: ModelFile, whole: bool) -> Iterator[Reading]:
    yield from _held(file)
    yield from _folded(file)
    yield from _work(file)
    yield from by_tools(file)
    yield from _parts(file, 1 if whole else 2)


def _held(file: ModelFile) -> Iterator[Reading]:
    """Return what lies in the file, whether a layer uses it or not: numbers and bytes."""
    model = file.model
    everything = (*model.weights, *model.tally.unused)
    parameters = [use for use in everything if use.weight.kind == "parameter"]
    state = [use for use in everything if use.weight.kind != "constant"]
    training = [use for use in parameters if use.weight.trains]
    groups: tuple[tuple[str, str, Iterable[Use], int], ...] = (
        ("in the file", "counts parameters that no layer uses, too", parameters, 1),
        ("trainable", "counts the parameters that train only", training, 1),
        ("state dict", "counts parameters and buffers, used or not", state, 1),
        ("all tensors", "counts every number in the file: buffers and constants, too", everything, 1),
    )
    for name, says, uses, steps in groups:
        numbers = Summand(1, f"numbers: {name}", sum(use.size for use in uses))
        yield told(file, "parameters", name, says, (numbers,), OF_FILE, steps)
        held = Summand(1, f"bytes: {name}", sum(map(model.bytes_of, uses)))
        yield told(file, "weight bytes", name, f"{says}, in their own types", (held,), OF_FILE, steps)
    used = (Summand(1, "bytes of the weights that are used", model.bytes),)
    yield told(file, "weight bytes", "own types", "in the file's own types", used, OF_FILE, 0)


def _folded(file: ModelFile) -> Iterator[Reading]:
    """Return the parameters that exporters leave where they fold batch norms into layers before."""
    makers = {name: row.operation for row in file.model.tally.rows for name in row.operation.outputs}
    gone = biases = 0
    for row in file.model.tally.rows:
        maker = makers.get(row.operation.inputs[0] or "") if row.operation.word == "batch_norm" else None
        if maker is None or maker.word not in ("conv", "conv_transpose", "linear"):
            continue
        gone += sum(use.size for use in row.uses if use.weight.kind == "parameter")
        if not maker.inputs[2:3] or maker.inputs[2] is None:
            biases += max(use.size for use in row.uses) if row.uses else 0
    parts = (
        Summand(1, "parameters", file.model.parameters),
        Summand(-1, "scales and shifts of batch norms", gone),
        Summand(1, "biases in their place", biases),
    )
    says = "folds batch norms into the layers before them, as exporters do"
    yield told(file, "parameters", "batch norms folded", says, parts, OF_FILE)


def _work(file: ModelFile) -> Iterator[Reading]:
    """Return the census: every kind of operation, and all together."""
    kinds = file.model.counts._asdict()
    multiplies = kinds.pop("products") + kinds["multiplies"]
    kinds["multiplies"] = multiplies
    for kind, amount in kinds.items():
        says = f"counts {kind} of every operation, those of norms and activations too"
        yield told(file, "multiplies", f"all {kind}", says, (Summand(1, kind, amount),), OF_TERM)
    parts = tuple(Summand(1, kind, amount) for kind, amount in kinds.items() if amount)
    says = "counts every operation of the census: additions, comparisons, divisions … too"
    yield told(file, "multiplies", "all operations", says, parts, OF_TERM)


def _parts(file: ModelFile, steps: int) -> Iterator[Reading]:
    """Return what each module and each kind of operation has of the two headline counts."""
    for kind, count in COUNTS.items():
        quantity = DEFAULTS[kind].quantity
        for path, amount in file.by_module(count).items():
            part = (Summand(1, f"{quantity} of {path}", amount),)
            yield told(file, kind, path, f"counts {path} only", part, OF_PART, steps)
        for word, amount in file.by_word(count).items():
            part = (Summand(1, f"{quantity} of {word} operations", amount),)
            says = f"counts {word} operations only"
            yield told(file, kind, f"{word} operations", says, part, OF_PART, steps)

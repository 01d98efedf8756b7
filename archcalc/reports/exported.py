"""Export a network to a file of another format, and summarize the file."""

from __future__ import annotations

from pathlib import Path

from archcalc.api import Network
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.reports.start import Start
from archcalc.units import grouped, printable


def exported(network: Network, output: str, start: Start) -> str:
    """Write a network to a file of the format that its suffix names; return a summary of the file.

    Raises:
        UsageError: the suffix names no format, or a Python file is asked to hold weights.
        ArchError: the format cannot express the network, or the file cannot be written.
    """
    kind, source = Path(output).suffix.lower(), start.told(network)
    if kind not in (".onnx", ".py"):
        help = "the name of a model ends in .onnx or .py"
        raise UsageError(Diagnostic(f"-o: `{printable(output)}` is no name of a model", help=help))
    try:
        if kind == ".py":
            source = "no weights"
            _python(network, output, start)
        else:
            _onnx(network, output, start)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArchError(f"cannot write {printable(output)}: {printable(reason)}") from None
    counts = network.analyze()
    told = f"{grouped(int(counts.parameters))} parameters, {grouped(int(counts.multiplies))} multiplies"
    return f"{printable(output)}: {printable(network.title)}\n{told} · {source}"


def _python(network: Network, output: str, start: Start) -> None:
    from archcalc.export.torch.writing import written

    if start != Start():
        help = "`-o net.onnx` holds some; torch draws its own"
        raise UsageError(Diagnostic("a Python file holds no weights", help=help))
    Path(output).write_text(written(network.graph, network.title).text, encoding="utf-8")


def _onnx(network: Network, output: str, start: Start) -> None:
    from archcalc.export.onnx.writing import drafted, write
    from archcalc.files.writing import replacing

    draft = drafted(network.graph)
    values, _ = start.of(network, 1)
    with replacing(output) as file:
        write(draft, Path(output).stem, file, values)

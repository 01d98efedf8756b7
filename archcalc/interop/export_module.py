"""Export a torch module to a file; also a script, run where torch is installed and archcalc is not."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any


def export(torch: Any, module: Any, positional: list[Any], named: dict[str, Any], path: str) -> None:
    """Write the module in eval mode; restore its modes afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            program = torch.export.export(module, tuple(positional), named)
        torch.export.save(program, path)
    finally:
        for part, mode in modes:
            part.training = mode


def export_of_sizes(torch: Any, module: Any, sizes: list[Any], path: str) -> None:
    """Write the module with inputs of these sizes, [name or '', extents], or of integers."""
    place = next((weight.device for weight in module.parameters()), "cpu")
    try:
        export(torch, module, *_made(torch, sizes, torch.float32, place), path)
    except Exception as refused:  # whatever the module raises: token numbers may be what it takes
        try:
            export(torch, module, *_made(torch, sizes, torch.int64, place), path)
        except Exception:
            raise refused from None


def _made(torch: Any, sizes: list[Any], dtype: Any, place: Any) -> tuple[list[Any], dict[str, Any]]:
    made = [(name, torch.zeros(tuple(dims), dtype=dtype, device=place)) for name, dims in sizes]
    return [x for name, x in made if not name], {name: x for name, x in made if name}


def _module(torch: Any, home: str, path: str) -> Any:
    """Return the module of a name: the object itself, or what its class or function returns."""
    found: Any = importlib.import_module(home)
    for part in path.split("."):
        found = getattr(found, part)
    made = found if isinstance(found, torch.nn.Module) else found()
    if not isinstance(made, torch.nn.Module):
        raise TypeError(f"{home}:{path} makes a {type(made).__name__}, and no torch.nn.Module")
    return made


def main(order: dict[str, Any]) -> dict[str, str]:
    """Export what the order names; return the result."""
    sys.path.insert(0, "")
    try:
        torch = importlib.import_module("torch")
    except ModuleNotFoundError as missing:
        if missing.name == "torch":
            return {"missing": "torch"}
        raise
    try:
        module = _module(torch, order["home"], order["path"])
        export_of_sizes(torch, module, order["inputs"], order["file"])
    except Exception as fault:  # code of the user's: whatever it raises is the answer
        return {"fault": f"{type(fault).__name__}: {fault}"}
    return {"name": type(module).__name__}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    with open(given["answer"], "w", encoding="utf-8") as file:
        json.dump(main(given), file)

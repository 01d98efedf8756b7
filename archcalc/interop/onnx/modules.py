"""The module that a node lies in, from what exporters write: torch's metadata, or paths in names."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.interop.onnx.messages import Node

_SCOPES, _CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
_RULES = "pkg.onnxscript.rewriter.rule_name"
_WANTED = frozenset((_SCOPES, _CLASSES, _RULES))
_LONGEST = 4000


class Home(NamedTuple):
    """Path of the innermost module, classes of all on the way, whether that is certain."""

    path: str
    classes: tuple[tuple[str, str], ...] = ()
    exact: bool = False
    folded: bool = False  # a batch norm into the node's weights


def home(node: Node) -> Home:
    """torch.export's metadata say it; the older exporter and TensorFlow's write it into the name."""
    noted = node.metadata(_WANTED) if node.noted else {}
    scopes, classes = _listed(noted.get(_SCOPES, "")), _listed(noted.get(_CLASSES, ""))
    if scopes and len(scopes) == len(classes):
        pairs = tuple(
            (path, cls.rpartition(".")[2]) for path, cls in zip(scopes[:-1], classes[:-1], strict=True)
        )
        if "BatchNorm" in noted.get(
            _RULES, ""
        ):  # noted as the norm's, but the convolution is what is left
            return Home(_owner(node), pairs[:-1], True, True)
        return Home(pairs[-1][0] if pairs else "", pairs, True)
    return Home(dotted(node.name))


def _owner(node: Node) -> str:
    """The module that the node's weight belongs to."""
    return node.inputs[1].rpartition(".")[0] if len(node.inputs) > 1 else ""


def dotted(name: str) -> str:
    """'/layer1/layer1.0/conv1/Conv' → 'layer1.0.conv1': what repeats the part before extends it."""
    parts: list[str] = []
    for part in name.split("/")[:-1]:
        if parts and part.startswith(parts[-1] + "."):
            parts[-1] = part
        elif part:
            parts.append(part)
    return ".".join(parts)


def _listed(text: str) -> list[str]:
    """A list of texts as Python prints it."""
    if len(text) > _LONGEST or not text.startswith("["):
        return []
    return [part.strip().strip("'\"") for part in text[1:-1].split(",")]

"""Find the module of a node from what exporters write: torch's metadata, or paths in names."""

from __future__ import annotations

from archcalc.interop.onnx.messages import NodeProto
from archcalc.tuples import NamedTuple

_SCOPES, _CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
_RULES = "pkg.onnxscript.rewriter.rule_name"
_WANTED = frozenset((_SCOPES, _CLASSES, _RULES))
_LONGEST, _LONGEST_NAME, _DEEPEST = 4000, 1000, 30


class Home(NamedTuple):
    """Path of the innermost module, classes of all on the way, whether that is certain."""

    path: str
    classes: tuple[tuple[str, str], ...] = ()
    exact: bool = False
    folded: bool = False  # a batch norm into the node's weights


def home(node: NodeProto) -> Home:
    """Return a node's module: from torch.export's metadata, or the name that older exporters write."""
    noted = node.metadata(_WANTED) if node.noted else {}
    scopes, classes = _listed(noted.get(_SCOPES, "")), _listed(noted.get(_CLASSES, ""))
    if not scopes or len(scopes) != len(classes):
        paths = dotted(node.name)
        return Home(paths[-1] if paths else "", tuple((path, "") for path in paths))
    pairs = tuple(
        (path, cls.rpartition(".")[2]) for path, cls in zip(scopes[:-1], classes[:-1], strict=True)
    )
    if "BatchNorm" in noted.get(_RULES, "") and len(node.inputs) > 1:
        # noted as the norm's, but what is left is the convolution whose weight it reads
        owner, axes = node.inputs[1].rpartition(".")[0], node.attributes.get("kernel_shape")
        name = f"Conv{len(axes.value)}d" if axes and isinstance(axes.value, list) else ""
        return Home(owner, (*pairs[:-1], (owner, name)), True, True)
    return Home(pairs[-1][0] if pairs else "", pairs, True)


def dotted(name: str) -> list[str]:
    """Return the modules in a name: '/layer1/layer1.0/conv1/Conv' → 'layer1', 'layer1.0', …

    A part that repeats the one before extends it; the last one is the operator.
    """
    if len(name) > _LONGEST_NAME:
        return []
    parts: list[str] = []
    found: list[str] = []
    for part in name.split("/", _DEEPEST)[:-1]:
        if parts and part.startswith(parts[-1] + "."):
            parts[-1] = part
        elif part:
            parts.append(part)
        if part:
            found.append(".".join(parts))
    return found


def _listed(text: str) -> list[str]:
    """Return a list of texts as Python prints it."""
    if len(text) > _LONGEST or not text.startswith("["):
        return []
    return [part.strip().strip("'\"") for part in text[1:-1].split(",")]

"""A graph of torch's schema as operations on tensors: nodes in order, graphs inside nodes unfolded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from archcalc.interop.torch.arguments import Arguments, arguments, outputs
from archcalc.interop.torch.operations import Call, call, split_target
from archcalc.interop.torch.words import COPIES, VIEWS, word_of
from archcalc.interop.torch.writes import StaleTensor, Writes
from archcalc.interop.trace import Operation, Shape, Tensor

Sizes = Callable[[Mapping[str, Any]], int]  # of a SymInt of the schema

DTYPES = {
    **{1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32"},
    **{8: "float64", 9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16"},
    **{28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz"},
    **{32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64"},
}
_MOST_VALUES = 1 << 63
_DEEPEST = 20  # graphs in graphs
_INLINE = ("wrap_with_set_grad_enabled", "wrap_with_autocast", "wrap_activation_checkpoint")
_INLINED = (*_INLINE, "tag_activation_checkpoint", "invoke_subgraph", "wrap", "hints_wrapper")
_LONGEST_STACK = 50_000  # characters
_CALLS = re.compile(r"@\d+$")  # the same module, called again
# `.name`, `['name']`, `[0]` and `, 'name')` of the expression by which a module is reached
_STEPS = re.compile(r"\.([^.\[\]()',\s]+)|\['([^']+)'\]|\[(\d+)\]|, '([^']+)'\)")


class GraphError(Exception):
    """A fact about the graph that makes it unreadable; `place` is where."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.message, self.place = message, place


class TraceNames:
    """The names of one graph: what each of them is in the trace, and the sizes that its nodes name."""

    def __init__(self, graph: Mapping[str, Any], prefix: str, depth: int) -> None:
        self.graph, self.prefix, self.depth = graph, prefix, depth
        self.metas: Mapping[str, Any] = graph["tensor_values"]
        self.integers: Mapping[str, Any] = graph.get("sym_int_values", {})
        self.names: dict[str, str] = {}


class Builder:
    """Collects the tensors, operations and modules of a graph and of those inside it."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.tensors: dict[str, Tensor] = {}
        self.shapes: dict[str, Shape] = {}
        self.operations: list[Operation] = []
        self.modules: dict[str, str] = {}
        self.writes = Writes()
        self._stacks: dict[str, str] = {}

    def make(self, scope: TraceNames, name: str) -> str:
        """Add a tensor of a graph with the graph's shape for it; return its name in the trace."""
        full = scope.prefix + name
        if name in scope.names or full in self.tensors:
            raise GraphError(f"it makes {name} a second time")
        meta = scope.metas[name]
        shape = tuple([self._size(size) for size in meta["sizes"]])
        if prod(shape) > _MOST_VALUES:
            raise GraphError(f"its tensor {name} has more than 2^63 values")
        scope.names[name] = full
        self.tensors[full] = Tensor(full, shape, DTYPES.get(meta["dtype"], "unknown"))
        self.shapes[full] = shape
        return full

    def _size(self, size: Mapping[str, Any]) -> int:
        value = size.get("as_int")
        value = self.sizes(size) if value is None else value
        if type(value) is not int or not 0 <= value < _MOST_VALUES:
            raise GraphError(f"a size of {str(value)[:40]}")
        return value

    def nodes(self, scope: TraceNames) -> None:
        """Read all nodes of a graph whose inputs are known."""
        for index, node in enumerate(scope.graph["nodes"]):
            place = ""
            try:
                place = _place(index, node, scope)
                self._node(scope, node, place)
            except GraphError as fact:
                raise GraphError(fact.message, fact.place or place) from fact
            except (KeyError, TypeError, AttributeError, IndexError, ValueError, ZeroDivisionError) as e:
                raise GraphError("it is not written as torch writes it", place or f"node {index}") from e

    def _node(self, scope: TraceNames, node: Mapping[str, Any], place: str) -> None:
        made = outputs(node["outputs"])
        namespace, name, _ = split_target(node["target"])
        if not made and not name.endswith("_"):
            return  # a check, or arithmetic of sizes
        given = arguments(node["inputs"], lambda name: self._integer(scope, name))
        module = self._module(node["metadata"].get("nn_module_stack", ""))
        if namespace == "higher_order" and name in _INLINED and len(given.graphs) == 1:
            self._inside(scope, given, made)
            return
        read = self._read(scope, given, module, place)
        found = call(node["target"], read, self.shapes)
        results = tuple([self.make(scope, result) for result in made])
        self.operations.append(
            Operation(found.word, found.inputs, results, found.attributes, module, place)
        )
        self._alias(name, found, read, results)

    def _integer(self, scope: TraceNames, name: str) -> Any:
        value = scope.integers.get(name)
        return None if value is None else self._size(value)

    def _read(self, scope: TraceNames, given: Arguments, module: str, place: str) -> Arguments:
        """Return the arguments with names of the trace, as the tensors are at this point."""
        read = {
            key: [None if name is None else self._now(scope, name, module, place) for name in names]
            for key, names in given.tensors.items()
        }
        return given._replace(tensors=read)

    def _now(self, scope: TraceNames, name: str, module: str, place: str) -> str:
        full = scope.names.get(name)
        if full is None:
            raise GraphError(f"it reads {name}, which nothing before it makes")
        return self.value(full, module, place)

    def value(self, full: str, module: str = "", place: str = "") -> str:
        """Return the tensor that holds the current content of `full`, joined from the writes into it."""
        state = self.writes.read(full)
        if not isinstance(state, StaleTensor):
            return state
        joined = f"{full}'{len(self.operations)}"
        self.tensors[joined] = self.tensors[full]._replace(name=joined)
        self.shapes[joined] = self.shapes[full]
        self.operations.append(
            Operation("scatter", (state.was, *state.written), (joined,), {}, module, place)
        )
        self.writes.joined(full, joined)
        return joined

    def _alias(self, name: str, found: Call, read: Arguments, results: tuple[str, ...]) -> None:
        first = next(iter(read.tensors.values()), [])
        if not first or first[0] is None:
            return
        into, word = first[0], word_of(name)
        in_place = name.endswith("_") and not name.endswith("__")
        if word in VIEWS and name not in COPIES and name not in ("copy_", "copy"):
            for result in results:
                self.writes.view(result, into)
        elif in_place and results:
            self.writes.write(into, results[0])

    def _inside(self, scope: TraceNames, given: Arguments, made: list[str]) -> None:
        """Read a graph that runs in another mode (no gradients, another dtype): its nodes replace it."""
        (inner,) = given.graphs
        if scope.depth >= _DEEPEST:
            raise GraphError("graphs inside graphs, too deep")
        within = TraceNames(inner["graph"], f"{scope.prefix}{inner['name']}/", scope.depth + 1)
        outer = [name for names in given.tensors.values() for name in names]
        wanted = [each["as_tensor"]["name"] for each in within.graph["inputs"] if "as_tensor" in each]
        if len(wanted) != len(outer):
            raise GraphError(f"its graph takes {len(wanted)} tensors, and gets {len(outer)}")
        for name, full in zip(wanted, outer, strict=True):
            within.names[name] = scope.names[full or ""]
        self.nodes(within)
        for name, result in zip(made, outputs(within.graph["outputs"]), strict=True):
            scope.names[name] = within.names[result]

    def _module(self, stack: str) -> str:
        """Return the path of the innermost module of a stack 'key,path,class;key,path,class'."""
        known = self._stacks.get(stack)
        if known is not None:
            return known
        if len(stack) > _LONGEST_STACK:
            raise GraphError(f"its modules have {len(stack):,} characters")
        path = ""
        for entry in stack.split(";") if stack else []:
            parts = entry.split(",")
            path = _path(_CALLS.sub("", ",".join(parts[1:-1])))
            if "_empty_nn_module_stack" not in entry:
                self.modules.setdefault(path, parts[-1].rpartition(".")[2])
        self._stacks[stack] = path
        return path


def _path(text: str) -> str:
    """Return a module's path: torch 2.6 may write `getattr(L['self'].stages['a'], '0')`."""
    if not text.startswith(("L[", "getattr(")):
        return text
    _, _, behind = text.partition("]")
    return ".".join(next(filter(None, found)) for found in _STEPS.findall(behind))


def _place(index: int, node: Mapping[str, Any], scope: TraceNames) -> str:
    name = node.get("name") or next(iter(outputs(node["outputs"])), "")
    return f"node {scope.prefix}{index} {name[:60]} ({node['target'][:80]})".replace("  ", " ")

"""Walk through a graph: infer nodes in order, enter functions and known branches.

The walk yields steps: a node with the values that it reads and makes. A file cannot make the walk
long: nodes, depth, and arithmetic on constants are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from archcalc.errors import ArchError, Diagnostic
from archcalc.interop.onnx.functions import Function
from archcalc.interop.onnx.messages import Attribute, GraphProto, NodeProto
from archcalc.interop.onnx.rules import RULES
from archcalc.interop.onnx.tensors import FLOATS, MOST_AXES, Stored
from archcalc.interop.onnx.values import Budget, NodeCall, Value, sized
from archcalc.tuples import NamedTuple

_MOST_NODES = 100_000
_MOST_DEPTH = 30
_MOST_EXTENT = 1 << 48
_LONGEST_NAME = 120
_RANDOM = frozenset(
    [
        "RandomNormal",
        "RandomUniform",
        "RandomNormalLike",
        "RandomUniformLike",
        "Bernoulli",
        "Multinomial",
    ]
)
_LOOPS = frozenset(("Loop", "Scan", "SequenceMap"))

Scope = dict[str, Value]
Recorded = Mapping[str, tuple[tuple[int, ...], int]]  # shape and type by name


class EnteredNode(NamedTuple):
    """One node that was entered: what it reads, what it makes, and the file's words for where it is."""

    call: NodeCall
    outputs: list[Value]
    place: str


class Frame(NamedTuple):
    """Where nodes stand: the values they see, the operators' versions, and the function's attributes."""

    scope: Scope
    opsets: Mapping[str, int]
    attributes: Mapping[str, Attribute] | None
    within: str
    depth: int


class Walk:
    """One pass through a model's graph."""

    def __init__(
        self,
        functions: Mapping[tuple[str, str, str], Function],
        recorded: Callable[[], Recorded],
        merges: bool = False,
    ) -> None:
        """`recorded` reads the shapes that the file records, when an operation is not known.

        `merges`: the exporter writes equal weights, though not tied, as one and an Identity.
        """
        self._functions, self._recorded = functions, recorded
        self._budget, self._left = Budget(), _MOST_NODES
        self._merges = merges
        self._shapes: Recorded = {}
        self._names: dict[str, int] = {}  # how often each was wanted again
        self.unknown: list[str] = []

    def stored(self, scope: Scope, tensor: Stored) -> None:
        """Take a tensor of the file into the scope."""
        if not tensor.name:
            raise ArchError("a stored tensor has no name")
        self.enter(scope, tensor.name, Value.of(tensor))

    def enter(self, scope: Scope, name: str, value: Value) -> None:
        """Give a value its name in the scope, and one in the trace that no other has."""
        if not value.name:
            unique, again = name, self._names.get(name, 0)
            while unique in self._names:
                again += 1
                unique = f"{name}#{again + 1}"
            self._names[name], self._names[unique] = again, 0
            value.name = unique
            for i, item in enumerate(value.items or ()):
                self.enter({}, f"{unique}[{i}]", item)
        scope[name] = value

    def steps(self, graph: GraphProto, scope: Scope, opsets: Mapping[str, int]) -> Iterator[EnteredNode]:
        """Return the steps of a whole graph, whose inputs are in scope."""
        frame = Frame(scope, opsets, None, "", 0)
        return self._nodes(graph.nodes(), frame)

    def strangers(self, graph: GraphProto) -> list[str]:
        """Return the places of all unknown operations: those met, and the others in the whole graph."""
        found = dict.fromkeys(self.unknown)
        for index, node in enumerate(islice(graph.nodes(), _MOST_NODES)):
            known = (
                operator_of(node) in RULES or (node.domain, node.op, node.overload) in self._functions
            )
            if not known and (node.domain or node.op not in (*_LOOPS, "If")):
                found[_place(node, index, "")] = None
        return list(found)

    def _nodes(self, nodes: Iterator[NodeProto], frame: Frame) -> Iterator[EnteredNode]:
        if frame.depth > _MOST_DEPTH:
            raise ArchError(f"graphs and functions lie more than {_MOST_DEPTH} deep in each other")
        for index, node in enumerate(nodes):
            self._left -= 1
            if self._left < 0:
                raise ArchError(
                    f"it has more than {_MOST_NODES:,} nodes, functions counted at each call"
                )
            place = _place(node, index, frame.within)
            try:
                yield from self._node(node, frame, place)
            except (LocatedError, UnknownOperationError):
                raise
            except ArchError as fact:
                raise LocatedError(place, fact) from fact

    def _node(self, node: NodeProto, frame: Frame, place: str) -> Iterator[EnteredNode]:
        call = self._call(node, frame)
        function = (
            self._functions.get((node.domain, node.op, node.overload)) if self._functions else None
        )
        if function is not None:
            yield from self._function(function, call, frame, place)
        elif node.op == "If" and not node.domain:
            yield from self._branch(call, frame, place)
        else:
            outputs = self._infer(call, place)
            for name, value in zip(node.outputs, outputs, strict=False):
                if name:
                    if name in frame.scope:
                        raise ArchError(f"'{name}' is made twice")
                    self.enter(frame.scope, name, value)
            yield EnteredNode(call, outputs, place)

    def _call(self, node: NodeProto, frame: Frame) -> NodeCall:
        scope = frame.scope
        try:
            inputs = [scope[name] if name else None for name in node.inputs]
        except KeyError as error:
            raise ArchError(f"it reads {error.args[0]!r}, which nothing before it makes") from None
        attributes = node.attributes
        if frame.attributes is not None:
            attributes = _resolved(attributes, frame.attributes)
        return NodeCall(node, inputs, attributes, frame.opsets.get(node.domain, 1), self._budget)

    def _infer(self, call: NodeCall, place: str) -> list[Value]:
        node = call.node
        rule = RULES.get(operator_of(node))
        if rule is None:
            return self._opaque(call, place)
        outputs = rule(call)
        if self._merges and node.op == "Identity" and outputs[0].stored:
            outputs = [Value.of(outputs[0].stored)]
        if len(outputs) < len(node.outputs) and any(node.outputs[len(outputs) :]):
            raise ArchError(f"it has {len(node.outputs)} outputs, the operator {len(outputs)}")
        fixed = node.op not in _RANDOM and all(v is None or v.fixed for v in call.inputs)
        learned = fixed and any(v is not None and v.learned for v in call.inputs)
        if node.op == "DequantizeLinear" and fixed and call.first.stored:
            learned = True  # a bias is int32 there
        filled = node.op == "ConstantOfShape" and call.first.stored is not None
        for value in outputs:
            if not value.name and value.stored is None:
                value.fixed = fixed or value.numbers is not None
                value.root = filled and value.size > 1 and value.dtype in FLOATS
                value.learned = learned or value.root
                _check(value.shape)
        return outputs

    def _opaque(self, call: NodeCall, place: str) -> list[Value]:
        """Infer an unknown operator: the file may have recorded its outputs."""
        node = call.node
        if node.op in _LOOPS and not node.domain:
            raise ArchError("how often its body runs is not in the file, so a loop cannot be counted")
        if not self.unknown:
            self._shapes = self._recorded()
        self.unknown.append(place)
        recorded = [self._shapes.get(name) for name in node.outputs if name]
        if not all(recorded):
            raise UnknownOperationError
        return [Value(*fact) for fact in recorded if fact]

    def _branch(self, call: NodeCall, frame: Frame, place: str) -> Iterator[EnteredNode]:
        """Enter the branch of an If whose condition is known."""
        condition = call.known(0)
        if not condition:
            raise ArchError(
                Diagnostic(
                    f"which branch runs depends on '{call.node.inputs[0]}', which is not in the file",
                    help="where an input of one integer decides, give its value: --dim NAME=16000",
                )
            )
        attribute = call.attributes.get("then_branch" if condition[0] else "else_branch")
        graph = attribute.value if attribute else None
        if not isinstance(graph, GraphProto):
            raise ArchError("it lacks a branch")
        self._budget.spend(len(frame.scope))
        inner = Frame(dict(frame.scope), frame.opsets, frame.attributes, frame.within, frame.depth + 1)
        for tensor in graph.initializers():
            self.stored(inner.scope, tensor)
        yield from self._nodes(graph.nodes(), inner)
        self._leave([o.name for o in graph.outputs()], call, inner, frame)

    def _function(
        self, function: Function, call: NodeCall, frame: Frame, place: str
    ) -> Iterator[EnteredNode]:
        """Enter the body of a function, with the values and attributes of this call."""
        scope = {
            name: value
            for name, value in zip(function.inputs, call.inputs, strict=False)
            if value is not None
        }
        attributes = {**function.defaults, **call.attributes}
        opsets = function.opsets or frame.opsets
        inner = Frame(scope, opsets, attributes, f" in {place}", frame.depth + 1)
        yield from self._nodes(iter(_optional(function, scope)), inner)
        self._leave(list(function.outputs), call, inner, frame)

    def _leave(self, names: list[str], call: NodeCall, inner: Frame, outer: Frame) -> None:
        """Record the results of a body under the names of the node that was entered."""
        for name, result in zip(call.node.outputs, names, strict=False):
            if result not in inner.scope:
                raise ArchError(f"its body makes no '{result}'")
            if name:
                outer.scope[name] = inner.scope[result]


class LocatedError(ArchError):
    """A mistake that already has the place of its node in front."""

    def __init__(self, place: str, fact: ArchError) -> None:
        self.place, self.fact = place, fact
        super().__init__(*[d._replace(message=f"{place}: {d.message}") for d in fact.diagnostics])


class UnknownOperationError(ArchError):
    """An unknown operation whose output shapes the file does not record either."""


def _optional(function: Function, scope: Scope) -> list[NodeProto]:
    """Return the body's nodes; where an input was left out, they read nothing."""
    absent = set(function.inputs) - set(scope)
    if not absent:
        return list(function.nodes)
    return [node.without(absent) for node in function.nodes]


def _resolved(attributes: dict[str, Attribute], given: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Replace references to attributes of the function by what its caller gave, or leave them out."""
    found = {}
    for name, attribute in attributes.items():
        if not attribute.reference:
            found[name] = attribute
        elif attribute.reference in given:
            found[name] = given[attribute.reference]
    return found


def _place(node: NodeProto, index: int, within: str) -> str:
    name = f"'{node.name[:_LONGEST_NAME]}'" if node.name else str(index)
    return f"node {name} ({operator_of(node)[:_LONGEST_NAME]}){within}"


def operator_of(node: NodeProto) -> str:
    """Return the operator's name, with its domain where that is not the standard's."""
    return f"{node.domain}.{node.op}" if node.domain else node.op


def _check(shape: tuple[int, ...]) -> None:
    if len(shape) > MOST_AXES:
        raise ArchError(f"its output would have {len(shape)} axes; at most {MOST_AXES} are read")
    for extent in shape:
        if not 0 <= extent <= _MOST_EXTENT:
            raise ArchError(f"its output would be {sized(shape)}")

"""Build the graph of a spec in one walk, which expands blocks and propagates shapes.

Both happen together because an expression may read the `channels` that arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc import garbage
from archcalc.errors import ArchError, Diagnostic, Keys, ShapeError, Span, SpecError, UsageError
from archcalc.graph import refusals
from archcalc.graph.assembly import Assembly
from archcalc.graph.bind import Bound, bind, require_values, unknown_argument, with_defaults
from archcalc.graph.check import check, check_labels
from archcalc.graph.effort import Effort
from archcalc.graph.expressions import Expressions
from archcalc.graph.folding import RoundBegin, Rounds, fold, require_whole, rounds_of, sound
from archcalc.graph.instances import Instances, known
from archcalc.graph.labels import Labeled, Labels
from archcalc.graph.model import Fold, Graph
from archcalc.graph.scope import InstanceCall, Names, Scope
from archcalc.operators import TABLE, operator_class
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape
from archcalc.spec.evaluate import Lookup
from archcalc.spec.expressions import Expression, Value
from archcalc.spec.model import INPUT, Block, Given, Line, Spec, Step

DEEPEST = 100  # nested blocks


def build(
    spec: Spec,
    values: Mapping[str, Value],
    input: Shape | None = None,
    variant: str | None = None,
    freeze: Sequence[str] = (),
    folds: bool = False,
) -> Graph:
    """Return the graph of a spec with these values of its variables, which may be symbols.

    Args:
        input: replaces the spec's own input size.
        freeze: patterns of layers to freeze, beside the spec's own.
        folds: whether repeats whose count is a symbol stay folded.

    Raises:
        SpecError: the text has mistakes, or layers do not fit each other.
        UnfoldableError: a repeat cannot be folded.
    """
    check(spec)
    try:
        with garbage.paused():
            return _Builder(spec, values, folds).graph(input, variant, freeze)
    except (SpecError, UsageError):
        raise
    except RecursionError:  # the caller's stack was deep already
        raise SpecError(Diagnostic("blocks nested too deeply"), source=spec.source) from None
    except ArchError as error:
        raise SpecError(*error.diagnostics, source=spec.source) from None


class _Builder:
    def __init__(self, spec: Spec, values: Mapping[str, Value], may_fold: bool) -> None:
        self.spec, self.values, self.may_fold, self.folds = spec, values, may_fold, list[Fold]()
        memory, self.names, self.labels, self.effort = known(), Names(), Labels(), Effort()
        self.made = Assembly(self.effort, spec.source.modules, memory.operators)
        self.nodes = self.made.nodes
        self.expressions = Expressions(values, self.nodes, self.effort)
        parts = (self.made, self.expressions, self.names, self.labels)
        self.instances = Instances(memory, spec, *parts, self._block)
        self.side_outputs: list[tuple[str, int]] = []
        self._literal: dict[tuple[int, int], tuple[Operator, Span, dict[str, Bound]]] = {}

    def graph(self, input: Shape | None, variant: str | None, freeze: Sequence[str]) -> Graph:
        tensors, main = {"in": 0}, self.spec.inputs_of(variant)
        for name, sizes, keys in self.spec.all_inputs(variant):
            given = input if sizes == main else None  # inputs of the same size change together
            tensors[name] = self.made.begin(name, given or self.expressions.shape(sizes, keys), keys)
        tensors.pop(INPUT, None)  # it has a name already
        last = self._block(InstanceCall(self.spec.body, self.values, {}, (), tensors, "", 0))
        kept = frozenset[int]()
        if self.spec.freeze or freeze:
            from archcalc.graph.freeze import frozen

            kept = frozen(self.nodes, self.spec.freeze, freeze)
        read, sides = frozenset(self.expressions.read), tuple(self.side_outputs)
        nodes, folds = tuple(self.nodes), tuple(self.folds)
        return sound(Graph(nodes, last, sides, read, kept, folds), self.effort.spent)

    def _block(self, call: InstanceCall) -> int:
        """Expand an instance of a block, which begins at the tensor `in`; return its last node."""
        block, values, read, rest, tensors, prefix, depth = call
        own, x = self.names.labels_of(block), tensors["in"]
        scope = Scope(block, values, read, rest, tensors, set(tensors), prefix, prefix, own, depth)
        if block.join:
            x = self._branches(block, x, scope)
        else:
            x, _ = self._lines(block.branches[0].lines, x, scope)
        return self._lines(block.then, x, scope)[0]

    def _branches(self, block: Block, x: int, scope: Scope) -> int:
        ends = []
        for branch in block.branches:
            inner = scope._replace(prefix=f"{scope.prefix}{branch.name}/", set_here=set())
            end, ran = self._lines(branch.lines, x, inner)
            if ran:
                ends.append(end)
        if len(ends) < 2:
            return ends[0] if ends else x
        span = Span((*block.keys, block.join), -1)
        operator = self.made.operator(block.join, {}, self.nodes[ends[0]].shape.rank)
        path = self.names.free(scope, block.join)
        return self.made.append(path, operator, tuple(ends), span, {})

    def _lines(self, lines: tuple[Line, ...], x: int, scope: Scope) -> tuple[int, bool]:
        ran = False
        for line in lines:
            end = self._line(line, x, scope)
            ran = ran or end is not None
            x = x if end is None or line.output else end
        return x, ran

    def _line(self, line: Line, x: int, scope: Scope) -> int | None:
        """Return the last node of a line; None if its condition does not hold, or it has no rounds."""
        self.effort.spend(1, line)
        lookup = self.expressions.lookup(scope, x)
        on = line.condition is None or bool(self.expressions.evaluate(line.condition, lookup, line.keys))
        rounds = rounds_of(self.expressions.count(line, lookup, self.may_fold) if on else 0)
        if rounds.built == 0:
            if line.label and line.label not in scope.set_here:
                self.labels.set(line.label, scope, Labeled(x, "", x, 0, 0))
            return None
        if line.label in scope.set_here:
            raise refusals.set_twice(line)
        name, inner, first = line.label, scope, len(self.nodes)
        if line.label and (rounds.built > 1 or len(line.steps) > 1):
            prefix = f"{scope.prefix}{line.label}/"
            name, inner = "", scope._replace(prefix=prefix, own_labels=frozenset())
        source, end = self._repeat(line, x, inner, name, rounds)
        if line.label:
            path = scope.prefix + line.label
            self.labels.set(line.label, scope, Labeled(end, path, source, first, len(self.nodes)))
            scope.set_here.add(line.label)
        if line.output:
            self.side_outputs.append((line.label, end))
        return end

    def _repeat(self, line: Line, x: int, scope: Scope, name: str, rounds: Rounds) -> tuple[int, int]:
        """Build the rounds of a line; return the tensor that the first layer reads, and the last one."""
        first = len(self.nodes)
        source, marks = x, list[RoundBegin]()
        for _ in self.effort.rounds(line, rounds.built):
            marks.append(RoundBegin(len(self.nodes), x, self.effort.spent))
            for step in line.steps:
                source = x if len(self.nodes) == first else source
                x = self._step(step, line, x, scope, name)
        if rounds.folded and len(self.nodes) > first:
            self.folds.append(fold(self.nodes, marks, x, rounds, scope.prefix.count("/")))
            self.effort.hidden += (rounds.whole - rounds.built) * (marks[2].spent - marks[1].spent)
        return source, x

    def _step(self, step: Step, line: Line, x: int, scope: Scope, label: str) -> int:
        self.effort.step(len(step.arguments), line)
        if step.condition is not None:
            lookup = self.expressions.lookup(scope, x)
            if not self.expressions.evaluate(step.condition, lookup, line.keys):
                return x
        if step.target:
            return self.labels.node(step.target, scope, line.span(step.start, step.end))
        literal = self._literal.get((id(step), self.nodes[x].shape.rank))
        if literal is not None:
            operator, place, arguments = literal
            path = scope.prefix + label if label else self.names.free(scope, operator.name)
            return self.made.append(path, operator, (x,), place, arguments)
        if step.name == "reuse":
            return self._reuse(step, line, x, scope, label)
        lookup = self.expressions.lookup(scope, x)
        name = step.name
        if isinstance(name, Expression):
            name = self._dynamic_name(name, lookup, line)
        given = self._given(step.arguments, lookup, line.keys, scope)
        path = scope.prefix + label if label else self.names.free(scope, name)
        place = line.span(step.start, step.end)
        if name in self.spec.blocks:
            return self._call_block(self.spec.blocks[name], given, x, scope, path, place)
        return self._call_operator(name, given, step, x, scope, path, place)

    def _dynamic_name(self, expression: Expression, lookup: Lookup, line: Line) -> str:
        name = self.expressions.evaluate(expression, lookup, line.keys)
        if isinstance(name, str) and (name in TABLE or name in self.spec.blocks):
            return name
        raise refusals.no_step(expression, name, self.spec, line)

    def _reuse(self, step: Step, line: Line, x: int, scope: Scope, label: str) -> int:
        """Build a labelled line again on the tensor that arrives, with shared weights."""
        target, *names = (str(given.value) for given in step.arguments)
        place = line.span(step.start, step.arguments[-1].end)
        made = self.labels.line(target, scope, place)
        others = [self.labels.node(name, scope, place) for name in names]
        if self.nodes[made.source].shape.rank != self.nodes[x].shape.rank:
            raise refusals.other_axes(target, self.nodes[made.source].shape, self.nodes[x].shape, place)
        if others and not made.is_layer(self.nodes, 1 + len(others)):
            raise refusals.many_inputs(target, place)
        path = scope.prefix + label if label else self.names.free(scope, target.rpartition("/")[2])
        self.effort.allow(self.effort.steps + made.end - made.first, line)
        require_whole(self.folds, made.first, made.end)
        moved = {made.source: x}
        for index in range(made.first, made.end):
            node = self.nodes[index]
            self.effort.step(len(node.inputs), line)
            inputs = (x, *others) if others else tuple(moved.get(i, i) for i in node.inputs)
            shares = self.made.holder(index)
            own = path + node.path[len(made.path) :]
            moved[index] = self.made.append(own, node.operator, inputs, place, {}, shares)
        return moved.get(made.node, made.node)

    def _given(
        self, arguments: tuple[Given, ...], lookup: Lookup, keys: Keys, scope: Scope
    ) -> list[Bound]:
        bounds: list[Bound] = []
        for given in arguments:
            span = Span(keys, given.start, given.end)
            if given.name == "...":
                bounds.extend(scope.rest)
            elif given.name == "@":
                bounds.append(Bound("@", self.labels.node(str(given.value), scope, span), span))
            else:
                value, read = self.expressions.argument(given.value, lookup, keys)
                bounds.append(Bound(given.name, value, span, read))
        return bounds

    def _call_block(
        self, block: Block, given: list[Bound], x: int, scope: Scope, path: str, place: Span
    ) -> int:
        if scope.depth >= DEEPEST:
            raise refusals.too_deep(DEEPEST, place)
        labels = [g for g in given if g.name == "@"]
        check_labels(block.name, block, labels, place)
        bound, rest = bind(block.name, block.sizes, [g for g in given if g.name != "@"], place)
        if rest and not block.takes_rest:
            raise unknown_argument(block.name, block.sizes, rest[0])
        values: dict[str, Value] = {}
        read: dict[str, frozenset[str]] = {}
        lookup = self.expressions.lookup(scope._replace(values=values, read=read), x)
        for parameter in block.sizes:
            if parameter.name in bound:
                _, value, _, names = bound[parameter.name]
            else:
                assert parameter.default is not None
                value, names = self.expressions.argument(
                    parameter.default, lookup, (*block.keys, "args")
                )
            values[parameter.name], read[parameter.name] = value, names
        tensors = {"in": x, **{t: g.value for t, g in zip(block.tensors, labels, strict=True)}}
        call = InstanceCall(block, values, read, tuple(rest), tensors, f"{path}/", scope.depth + 1)
        return self.instances.add(call)

    def _call_operator(
        self, name: str, given: list[Bound], step: Step, x: int, scope: Scope, path: str, place: Span
    ) -> int:
        cls = operator_class(name)
        labels = [g for g in given if g.name == "@"]
        check_labels(name, None, labels, place)
        bound, surplus = bind(name, cls.arguments, [g for g in given if g.name != "@"], place)
        if surplus:
            raise unknown_argument(name, cls.arguments, surplus[0])
        require_values(cls.arguments, bound)
        arguments = with_defaults(bound, self._defaults(name, scope, x))
        self.expressions.read.update(*(b.read for b in arguments.values()))
        tied = None if cls.tied is None else self.made.tied(cls.tied, labels[0], arguments)
        inputs = (x,) if tied is not None else (x, *(g.value for g in labels))
        try:
            given_values = {k: b.value for k, b in arguments.items()}
            operator = self.made.operator(name, given_values, self.nodes[x].shape.rank)
        except ShapeError as error:
            raise refusals.misfit(error, self.nodes, path, inputs, place, arguments) from None
        if step.is_literal(self.spec.defaults.get(name, ())):
            self._literal[id(step), operator.rank] = operator, place, arguments
        return self.made.append(path, operator, inputs, place, arguments, -1 if tied is None else tied)

    def _defaults(self, name: str, scope: Scope, x: int) -> list[Bound]:
        keys: Keys = ("defaults", name)
        lookup = self.expressions.lookup(scope._replace(values=self.values, read={}), x)
        return self._given(self.spec.defaults.get(name, ()), lookup, keys, scope)

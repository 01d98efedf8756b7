"""Write blocks and the network's body as TOML lines; equal lines in a row become repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archcalc.graph.write import toml_text
from archcalc.recovery.blocks import Written
from archcalc.recovery.bodies import IN, Body
from archcalc.recovery.layout import BodyLayout, TextLine
from archcalc.recovery.numbers import ordered_arguments
from archcalc.spec.tokens import GRAMMAR_WORDS, LABEL_NAME

WIDEST = 96  # the most columns of a list in one line


class LineLabels:
    """The labels of one body: lines that are read again need one; the network's own lines get one."""

    def __init__(
        self, body: Body, inputs: Sequence[str], named: bool, taken: Iterable[str] = ()
    ) -> None:
        self.body, self.named = body, named
        self._inputs = inputs
        self._taken = {*GRAMMAR_WORDS, *inputs, *taken}
        self._needed: set[int] = set()
        self._of: dict[int, str] = {}
        self._within = Counter(prefix for item in body for prefix in _prefixes(item.label))

    def need(
        self, rows: Sequence[TextLine], left: Iterable[int] = (), shared: Mapping[int, int] | None = None
    ) -> None:
        """Note the rows that anything but the next row reads.

        Args:
            left: the items that leave the network.
            shared: for items that use the weights of another item, that item.
        """
        self.holders = dict(shared or {})
        self._needed.update(left, self.holders.values())
        for row in rows:
            if row.back is not None:
                self._needed.add(row.back)
            for index in row.items:
                self._needed.update(self.body[index].refs[1:])

    def reference(self, ref: int) -> str:
        """Return the text of a reference: '@in', '@conv2'."""
        if ref == IN:
            return "@in"
        return f"@{self._inputs[-1 - ref]}" if ref < 0 else f"@{self._of[ref]}"

    def is_needed(self, row: TextLine) -> bool:
        return row.items[-1] in self._needed

    def give(self, rows: Sequence[TextLine]) -> str:
        """Return a label for the line of these rows, or '' if it needs none."""
        needed = any(self.is_needed(row) for row in rows)
        if not needed and not self.named:
            return ""
        items = [i for row in rows for i in row.items]
        label = self._hint(items)
        if not label:
            if not needed:
                return ""
            label = str(self.body[items[-1]].key[0]) if not self.body[items[-1]].is_call else "block"
        free = label
        count = 1
        while free in self._taken or free.isdecimal():
            count += 1
            free = f"{label}_{count}"
        self._taken.add(free)
        self._of[items[-1]] = free
        return free

    def _hint(self, items: Sequence[int]) -> str:
        """Return the path of the module that consists of these items, or that begins with them."""
        first = next((i for i in items if self.body[i].weight_layers), items[0])
        if not self.body[first].weight_layers and not self.body[first].is_call:
            return ""
        around = self.body[first].label.split(".")
        ours = Counter(prefix for i in items for prefix in _prefixes(self.body[i].label))
        for depth in range(1, len(around) + 1):
            module = ".".join(around[:depth])
            label = ".".join(around[:depth]) if self.named else around[depth - 1]
            usable = LABEL_NAME.fullmatch(label) and label[0].isalpha() and label not in self._taken
            if usable and ours[module] == self._within[module]:
                return label
        return ""


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split(".")
    yield from (".".join(parts[: n + 1]) for n in range(len(parts)))


def lines_of(
    body: Body,
    rows: Sequence[TextLine],
    steps: Sequence[str],
    conditions: dict[int, str],
    labels: LineLabels,
) -> list[str]:
    """Return rows as lines; equal lines in a row become one line with a repeat count."""
    texts = [_row_text(body, row, steps, labels.holders) for row in rows]
    lines = []
    at = 0
    while at < len(rows):
        end = at + 1
        while end < len(rows) and _repeats(rows, texts, at, end, labels, body):
            end += 1
        found = rows[at:end]
        times = f"{end - at} x " if end > at + 1 else ""
        label = labels.give(found)
        back = "" if rows[at].back is None else f"{labels.reference(int(rows[at].back or 0))} | "
        run = rows[at].run
        when = f"if {conditions[run.start]}: " if run is not None else ""
        chain = " | ".join(" ".join([text, *map(labels.reference, refs)]) for text, refs in texts[at])
        lines.append(f"{when}{f'{label} = ' if label else ''}{times}{back}{chain}")
        at = end
    return lines


Chain = list[tuple[str, tuple[int, ...]]]


def _row_text(body: Body, row: TextLine, steps: Sequence[str], holders: Mapping[int, int]) -> Chain:
    """Return a row's steps, each with its references: the weights it reuses, and its other inputs."""
    own = [(holders[i],) if i in holders else () for i in row.items]
    return [(steps[i], (*held, *body[i].refs[1:])) for i, held in zip(row.items, own, strict=True)]


def _repeats(
    rows: Sequence[TextLine], texts: Sequence[Chain], at: int, end: int, labels: LineLabels, body: Body
) -> bool:
    """Return whether a row repeats the one before, and nothing else reads the tensors between them."""
    return (
        texts[end] == texts[at]
        and rows[at].back is None
        and rows[end].back is None
        and rows[at].run is None
        and rows[end].run is None
        and not any(refs for _, refs in texts[at])
        and not labels.is_needed(rows[end - 1])
    )


def block_text(written: Written) -> str:
    """Return the TOML table of a block."""
    family, layout = written.family, written.family.layout
    lines = [f"[block.{written.name}]"]
    arguments = [a.written for a in ordered_arguments(written.numbers.arguments)]
    if arguments:
        lines.append(f"args = {toml_text(' '.join(arguments))}")
    conditions = {r.start: c for r, c in zip(family.runs, written.conditions, strict=True)}
    labels = LineLabels(family.body, (), named=False)
    for rows in (*layout.branches, layout.rows):
        labels.need(rows)

    def told(rows: Sequence[TextLine]) -> list[str]:
        return lines_of(family.body, rows, written.steps, conditions, labels)

    if layout.join is None:
        lines.append(listed("layers", told(layout.rows)))
    else:
        join = family.body[layout.join].key[0]
        names = _branch_names(family.body, layout)
        for name, rows in zip(names, layout.branches, strict=True):
            whole = bool(rows) and rows[0].run is not None and len({r.run for r in rows}) == 1
            found = ["@in"] if not rows or whole else []
            lines.append(listed(f"{join}.{name}", [*found, *told(rows)]))
        if layout.rows:
            lines.append(listed("then", told(layout.rows)))
    return "\n".join(lines)


def _branch_names(body: Body, layout: BodyLayout) -> list[str]:
    """Return a name for each branch: by its role in a sum or concat, by its module, or by a number."""
    residual = (
        len(layout.branches) == 2 and layout.join is not None and body[layout.join].key[0] == "add"
    )
    names: list[str] = []
    for count, rows in enumerate(layout.branches, 1):
        items = [i for row in rows for i in row.items]
        paths = {body[i].label.split(".")[0] for i in items}
        own = paths.pop() if len(paths) == 1 else ""
        usual = ("main", "shortcut")[count - 1] if residual else f"b{count}"
        if len(layout.branches) == 2 and not layout.branches[0]:
            usual, residual = ("all", "new")[count - 1], True
        clean = own.lower()
        fine = clean[:1].isalpha() and clean.replace("_", "").isalnum() and clean not in names
        names.append(clean if fine and not residual else usual)
    return names


def listed(key: str, lines: Sequence[str]) -> str:
    """Return the TOML of a key with its lines: a string for one, a list for several."""
    if len(lines) == 1:
        return f"{key} = {toml_text(lines[0])}"
    short = f"{key} = [{', '.join(map(toml_text, lines))}]"
    if len(short) <= WIDEST and key != "layers":
        return short
    return "\n".join([f"{key} = [", *(f"  {toml_text(line)}," for line in lines), "]"])

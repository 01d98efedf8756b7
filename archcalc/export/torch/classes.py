"""Make one class of blocks that differ only in numbers, and a loop of equal blocks in a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from archcalc.export.torch.code import BlockCall, BlockCode
from archcalc.export.torch.prelude import PRELUDE
from archcalc.export.torch.tree import class_name
from archcalc.tuples import NamedTuple

NET = "Net"  # the class of the whole network
_NUMBER = re.compile(r"‹(\w+):(-?\d+)›")
_MOST_TIMES = 8  # the largest factor by which one number is written as a multiple of another


class Text(NamedTuple):
    """A block as text: its modules and its lines, in which numbers are still marked."""

    modules: tuple[tuple[str, str], ...]
    body: tuple[str, ...]
    head: tuple[str, str]  # the parameters of forward, and the expression that it returns

    @property
    def skeleton(self) -> tuple[object, ...]:
        """The text with its numbers removed."""
        return _NUMBER.sub("‹›", repr(self)), *self.head


class Classes:
    """All classes of a file; `keys` has the attribute of each block in its parent."""

    def __init__(self, whole: BlockCode) -> None:
        self._whole = whole
        self.sources: list[str] = []
        self.keys: dict[int, str] = {}  # id of a block's code → its key in its parent
        self._made: dict[int, str] = {}  # id of a block's code → the expression that makes it
        self._names = {NET, *PRELUDE}
        for blocks in _by_height(whole):
            texts = {id(block): self._text(block) for block in blocks}
            alike: dict[tuple[object, ...], list[BlockCode]] = {}
            for block in blocks:
                alike.setdefault(texts[id(block)].skeleton, []).append(block)
            for group in alike.values():
                self._class(group, [texts[id(block)] for block in group])

    def _text(self, block: BlockCode) -> Text:
        """Return a block's text, which makes its inner blocks by their classes."""
        runs = self._runs(block)
        modules, lines = [], []
        for item in block.modules:
            if not isinstance(item, BlockCall):
                modules.append(item)
            elif (count := runs[id(item.code)][1]) == 1:
                modules.append((item.attribute, self._made[id(item.code)]))
            elif count:
                made = self._made[id(item.code)]
                loop = f"nn.Sequential(*({made} for _ in range(‹repeats:{count}›)))"
                modules.append((item.attribute, loop))
        for line in block.body:
            if not isinstance(line, BlockCall):
                lines.append(line)
            elif runs[id(line.code)][1]:
                lines.append(line.line.replace("{m}", line.attribute))
        head = ", ".join(block.parameters), block.returns
        return Text(tuple(modules), tuple(lines), head)

    def _runs(self, block: BlockCode) -> dict[int, tuple[str, int]]:
        """Return for each inner block its key, and how often the loop that begins with it runs."""
        found: dict[int, tuple[str, int]] = {}
        begin: BlockCall | None = None
        for line in block.body:
            if not isinstance(line, BlockCall):
                begin = None
                continue
            name, _, read = line.line.partition(" = self.{m}")
            chained = read == f"({name})"
            same = begin is not None and begin.line == line.line and chained
            if same and begin is not None and self._made[id(begin.code)] == self._made[id(line.code)]:
                key, count = found[id(begin.code)]
                found[id(begin.code)] = (key, count + 1)
                found[id(line.code)] = (f"{begin.attribute}.{count}", 0)
            else:
                begin = line
                found[id(line.code)] = (line.attribute, 1)
        for line in block.body:
            if isinstance(line, BlockCall):
                key, count = found[id(line.code)]
                self.keys[id(line.code)] = f"{key}.0" if count > 1 else key
        return found

    def _class(self, blocks: Sequence[BlockCode], texts: Sequence[Text]) -> None:
        name = NET if blocks[0] is self._whole else self._fresh(class_name(blocks[0].kind))
        numbers = [_NUMBER.findall(repr(text)) for text in texts]
        columns = list(zip(*([int(n) for _, n in row] for row in numbers), strict=True))
        tags = [tag for tag, _ in numbers[0]]
        words, order = _arguments(tags, columns)
        self.sources.append(_source(name, texts[0], [words[c] for c in columns], order, len(texts) > 1))
        for block, row in zip(blocks, range(len(texts)), strict=True):
            given = (f"‹{word}:{column[row]}›" for word, column in order)
            self._made[id(block)] = f"{name}({', '.join(given)})"

    def _fresh(self, name: str) -> str:
        number = 1
        while (found := name if number == 1 else f"{name}{number}") in self._names:
            number += 1
        self._names.add(found)
        return found


Column = tuple[int, ...]


def _arguments(
    tags: Sequence[str], columns: Sequence[Column]
) -> tuple[Mapping[Column, str], list[tuple[str, Column]]]:
    """Return the text of each number, and the arguments of the class with their values.

    A number that is equal in all blocks is written out. A number that is always the same multiple of
    another number is written as that multiple.
    """
    words: dict[Column, str] = {}
    order: list[tuple[str, Column]] = []
    taken: set[str] = set()
    first = {column: at for at, column in reversed(list(enumerate(columns)))}
    for column in sorted(first, key=lambda c: (sum(c), first[c])):
        if len(set(column)) == 1:
            words[column] = str(column[0])
            continue
        for word, other in order:
            times = column[0] // other[0] if other[0] else 0
            if 2 <= times <= _MOST_TIMES and column == tuple(times * n for n in other):
                words[column] = f"{times} * {word}"
                break
        else:
            word, number = tags[first[column]], 1
            while (fresh := word if number == 1 else f"{word}{number}") in taken:
                number += 1
            taken.add(fresh)
            words[column] = fresh
            order.append((fresh, column))
    return words, sorted(order, key=lambda pair: first[pair[1]])


def _source(
    name: str, text: Text, words: Sequence[str], order: Sequence[tuple[str, Column]], several: bool
) -> str:
    """Return the class in Python."""
    left = iter(words)
    modules = [(a, _NUMBER.sub(lambda _: next(left), made)) for a, made in text.modules]
    kept: dict[str, None] = {}

    def forward(match: re.Match[str]) -> str:
        word = next(left)
        for argument, _ in order:
            if re.search(rf"\b{argument}\b", word):
                kept[argument] = None
                return re.sub(rf"\b{argument}\b", f"self.{argument}", word)
        return word

    body = [_NUMBER.sub(forward, line) for line in text.body]
    arguments = "".join(f", {word}" for word, _ in order)
    lines = [f"class {name}(nn.Module):"]
    if modules or order:
        lines += [f"    def __init__(self{arguments}):", "        super().__init__()"]
        lines += [f"        self.{word} = {word}" for word in kept]
        lines += [f"        self.{attribute} = {made}" for attribute, made in modules]
        lines.append("")
    returned = _NUMBER.sub(forward, text.head[1])
    if body and body[-1].startswith(f"{returned} = "):
        returned = body.pop().removeprefix(f"{returned} = ")
    lines += [f"    def forward(self, {text.head[0]}):", *(f"        {line}" for line in body)]
    return "\n".join([*lines, f"        return {returned}", ""])


def _by_height(whole: BlockCode) -> list[list[BlockCode]]:
    """Return the blocks of the tree by height: those without inner blocks first."""
    levels: dict[int, list[BlockCode]] = {}

    def height(block: BlockCode) -> int:
        inside = [height(item.code) for item in block.body if isinstance(item, BlockCall)]
        own = 1 + max(inside, default=-1)
        levels.setdefault(own, []).append(block)
        return own

    height(whole)
    return [levels[level] for level in sorted(levels)]

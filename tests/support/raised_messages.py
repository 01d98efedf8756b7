"""The messages that a folder of source can raise, read off its syntax trees.

A message is the first argument of a call that makes a diagnostic. Where it is a name, everything that
its function assigns to that name counts; where it is an f-string, its holes match anything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MAKERS = {"Diagnostic", "UsageError", "SpecError", "ShapeError", "OperandError", "fault", "_fault"}
RETURNERS = ("_refuse", "_wrong")  # functions that return a message, or a message and a help
TEMPLATES = {"require": 1}  # the message is not the first argument
TABLES = {"_WORDS": 1}  # tables of texts: the column that is a message
ANYTHING = ".*"

Texts = dict[str, list[ast.expr]]


class Message(NamedTuple):
    place: str
    pattern: str  # a regular expression

    def matches(self, text: str) -> bool:
        return re.fullmatch(self.pattern, text, re.DOTALL) is not None


def messages(folder: Path) -> list[Message]:
    """Yield every message of every file, once a place."""
    found = []
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for line, pattern in dict.fromkeys(_in_tree(tree)):
            found.append(Message(f"{path.parent.name}/{path.name}:{line}", pattern))
    return found


def _in_tree(tree: ast.Module) -> Iterator[tuple[int, str]]:
    constants: Texts = {}
    for statement in tree.body:
        for name, value in _assigned(statement):
            constants.setdefault(name, []).append(value)
            yield from _in_table(name, value)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from _in_function(node, constants)


def _in_table(name: str, value: ast.expr) -> Iterator[tuple[int, str]]:
    column = TABLES.get(name)
    if column is not None and isinstance(value, ast.Tuple):
        for row in value.elts:
            assert isinstance(row, ast.Tuple)
            texts = _patterns(row.elts[column], {})
            yield from ((row.lineno, ANYTHING + text.replace("…", ANYTHING)) for text in texts)


def _in_function(function: ast.FunctionDef, constants: Texts) -> Iterator[tuple[int, str]]:
    texts = dict(constants)
    for node in ast.walk(function):
        for name, value in _assigned(node):
            texts[name] = [*texts.get(name, []), value]
    for node in ast.walk(function):
        message: ast.expr | None = None
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            at = TEMPLATES.get(name, 0)
            if (name in MAKERS or name in TEMPLATES) and len(node.args) > at:
                message = node.args[at]
        elif isinstance(node, ast.Return) and function.name.startswith(RETURNERS):
            message = node.value
        if message is not None:
            found = (p for p in _patterns(message, texts) if p not in (ANYTHING, ""))
            before = ".* " if isinstance(node, ast.Call) and name == "OperandError" else ""
            yield from ((message.lineno, before + p) for p in found)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Name):
            yield target.id, node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for one, value in zip(target.elts, node.value.elts, strict=True):
                if isinstance(one, ast.Name):
                    yield one.id, value


def _patterns(value: ast.expr, texts: Texts) -> Iterator[str]:
    if isinstance(value, ast.Constant):
        if isinstance(value.value, str):
            yield re.sub(r"\\\{\w+\\\}", ANYTHING, re.escape(value.value))
    elif isinstance(value, ast.Tuple):  # (message, help)
        yield from _patterns(value.elts[0], texts)
    elif isinstance(value, ast.IfExp):
        yield from _patterns(value.body, texts)
        yield from _patterns(value.orelse, texts)
    elif isinstance(value, ast.Name) and value.id in texts:
        for assigned in texts[value.id]:
            yield from _patterns(assigned, {k: v for k, v in texts.items() if k != value.id})
    elif isinstance(value, ast.JoinedStr):
        patterns = [""]
        for part in value.values:
            pieces = [ANYTHING]
            if isinstance(part, ast.Constant):
                pieces = [re.escape(str(part.value))]
            elif isinstance(part, ast.FormattedValue):
                pieces = list(_patterns(part.value, texts))
                pieces = [ANYTHING] if ANYTHING in pieces else pieces
            patterns = [pattern + piece for pattern in patterns for piece in pieces]
        yield from patterns
    else:
        yield ANYTHING

"""Write a graph as the text of a spec: each layer on a line of its own, without expressions."""

from __future__ import annotations

import json

from archcalc.graph.model import Graph
from archcalc.spec.tokens import GRAMMAR_WORDS


def write(graph: Graph, title: str, apart: bool = False) -> str:
    """Return a spec of the same layers without blocks, variables or expressions.

    Paths become labels ('stage1/conv' → 'stage1.conv'), because a label has no slash. `apart`: a return
    to an earlier tensor is a line of its own, so that the layer's path is its label alone.
    """
    labels = _labels(graph)
    lines = []
    for index, node in enumerate(graph.nodes[graph.inputs :], graph.inputs):
        back = f"@{labels[node.inputs[0]]} | " if node.inputs[0] != index - 1 else ""
        joined = [f"@{labels[i]}" for i in node.inputs[1:]]
        words = [str(node.operator), *joined]
        if node.shares >= 0:
            holder = f"@{labels[node.shares]}"
            tied = node.operator.tied is not None
            words = [str(node.operator), holder] if tied else ["reuse", holder, *joined]
        if apart and back:
            lines.append(back.removesuffix(" | "))
            back = ""
        lines.append(f"{labels[index]} = {back}{' '.join(words)}")
    lines += [f"output {name} = @{labels[index]}" for name, index in graph.side_outputs]
    if graph.output != len(graph.nodes) - 1:
        lines.append(f"@{labels[graph.output]}")
    body = "".join(f"  {toml_text(line)},\n" for line in lines)
    inputs = [(node.path, "x".join(map(str, node.shape))) for node in graph.nodes[: graph.inputs]]
    if len(inputs) == 1:
        return f'title = {toml_text(title)}\ninput = "{inputs[0][1]}"\nlayers = [\n{body}]\n'
    table = "".join(f'{name} = "{size}"\n' for name, size in inputs)
    return f"title = {toml_text(title)}\nlayers = [\n{body}]\n\n[inputs]\n{table}"


def toml_text(text: str) -> str:
    """Return a TOML string; characters that a terminal would not print are escaped."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in escaped)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _labels(graph: Graph) -> list[str]:
    """Return a label for each node: its path with dots, changed if it is taken or no label."""
    labels = ["in", *(node.path for node in graph.nodes[1 : graph.inputs])]
    taken = {"", *GRAMMAR_WORDS, *labels, *(name for name, _ in graph.side_outputs)}
    taken.add(graph.nodes[0].path)
    for node in graph.nodes[graph.inputs :]:
        label = node.path.replace("/", ".")
        while label in taken or label.isdecimal():
            label += "_"
        taken.add(label)
        labels.append(label)
    return labels

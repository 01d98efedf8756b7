"""A network as a picture, as data: `draw(analysis, title, Wishes(...))` of `layout` → `Drawing`.

`layout.draw` gives boxes, wires and captions with their places; each box has `layers`, the numbers in
the graph of the layers it stands for (each layer is in exactly one leaf; those of all ×N copies), and
its exact `cost`. `views.svg.render(drawing, theme)` makes SVG of it, whose `g.box` elements carry
`data-layers="3-7 10"`, `data-path` and a `<title>`, and whose lines carry `data-edges="3-8"`; leaves
have `tabindex`. `layout.folded(analysis, wishes).outline` is the same tree without places, for a table
that folds as the picture does: each `OutlineEntry` has its layers, its cost and its children.

graph → `folded` (a tree: layers with their norms, equal repeats as ×N) → `flow` (what goes where) →
`compose` and `cells` (how large) → `pages` (columns) → `layout` (a `Drawing`).
"""

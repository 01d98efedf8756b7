"""Lay out the picture of a network: `layout.draw([Drawable(analysis, title, Wishes(...))])` → `Drawing`.

`Drawing` has boxes, wires and captions with their places. A box has `layers`, the numbers in the graph
of the layers it stands for (each layer is in exactly one leaf, with all its ×N copies), their exact
`cost` and what a tooltip says. `views.svg.render(drawing, theme)` makes SVG of it: a box is
`<g class="box …" data-layers="3-7 10" data-path="…">` with a `<title>`, leaves have `tabindex`, lines
have `data-edges="3-8"`; of two networks beside each other the second has `data-network="1"`. Without a
theme it follows the reader's. `layout.outlines(…)` is the same tree without places, for a table that
folds as the picture does: each `OutlineEntry` has its layers, its cost and its children.

graph → `folded` (a `tree`: layers with their norms, equal repeats as ×N) → `flow` (what goes where) →
`compose` and `cells` (how large) → `pages` (columns) or `valley` (a U) → `layout` (a `Drawing`).
"""

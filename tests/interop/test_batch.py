"""The batch is followed through every kind of word, or the file's counts are kept and the place is said.

Each case is one chain of operations on a batch of 5 (and of 3 windows, 4 tokens …): what its last tensor
looks like for one image, or None where images meet.
"""

from __future__ import annotations

import pytest

from archcalc.interop.batch import per_image
from archcalc.interop.prune import prune
from archcalc.interop.trace import Operation, Shape, StoredWeight, Tensor, Trace

Step = tuple[str, dict[str, object], Shape]
IMAGE = (5, 6, 4)
WEIGHTS: dict[str, Shape] = {"w": (8, 4), "table": (9, 7), "mask": (5, 6, 4), "kernel": (8, 6, 3)}


def chain(*steps: Step, first: Shape = IMAGE) -> Trace:
    """Each step reads the one before, and a weight that its attributes name under `with`."""
    tensors = {name: Tensor(name, shape, "float32") for name, shape in WEIGHTS.items()}
    tensors["x"] = Tensor("x", first, "float32")
    weights = tuple(StoredWeight(name, name, "parameter", True, name) for name in WEIGHTS)
    operations, last = [], "x"
    for number, (word, attributes, shape) in enumerate(steps):
        made, others = f"t{number}", str(attributes.get("with", "")).split()
        tensors[made] = Tensor(made, shape, "float32")
        inputs = (*others, last) if attributes.get("behind") else (last, *others)
        operations.append(Operation(word, inputs, (made,), attributes, "", f"node {number}"))
        last = made
    return Trace("m", "hand", ("x",), (last,), tensors, weights, {}, tuple(operations))


def of_one(*steps: Step, first: Shape = IMAGE) -> Shape | None:
    trace = chain(*steps, first=first)
    found = per_image(trace, prune(trace))
    if found.notes == ("exported for a batch of 5: counts are those of one image",):
        return found.tensors[found.outputs[0]].shape
    assert found.tensors == trace.tensors
    (note,) = found.notes
    assert note.startswith(
        "counts are those of the whole input, not of one image: no axis is the batch, as "
    )
    return None


FOLLOWED: dict[str, tuple[tuple[Step, ...], Shape]] = {
    "elementwise": ((("relu", {}, IMAGE),), (1, 6, 4)),
    "with a constant of the batch's size": ((("add", {"with": "mask"}, IMAGE),), (1, 6, 4)),
    "folded": ((("view", {}, (30, 4)),), (6, 4)),
    "folded and out again": ((("view", {}, (30, 4)), ("view", {}, (5, 3, 8))), (1, 3, 8)),
    "tokens first": ((("permute", {"dims": (1, 0, 2)}, (6, 5, 4)),), (6, 1, 4)),
    "tokens first, folded": (
        (("permute", {"dims": (1, 0, 2)}, (6, 5, 4)), ("view", {}, (30, 4)), ("view", {}, (6, 10, 2))),
        (6, 2, 2),
    ),
    "windows": (
        (
            ("view", {}, (5, 2, 3, 2, 2)),
            ("permute", {"dims": (0, 1, 3, 2, 4)}, (5, 2, 2, 3, 2)),
            ("view", {}, (20, 6)),
        ),
        (4, 6),
    ),
    "linear": ((("linear", {"with": "w"}, (5, 6, 8)),), (1, 6, 8)),
    "conv": ((("conv", {"with": "kernel"}, (5, 8, 2)),), (1, 8, 2)),
    "pool": ((("max_pool", {}, (5, 6, 2)),), (1, 6, 2)),
    "embedding": ((("embedding", {"with": "table", "behind": True}, (5, 6, 4, 7)),), (1, 6, 4, 7)),
    "one of many": ((("select", {"dim": 1}, (5, 4)),), (1, 4)),
    "stacked": ((("stack", {"dim": 0, "with": "x"}, (2, 5, 6, 4)),), (2, 1, 6, 4)),
    "joined": ((("cat", {"dim": 1, "with": "mask"}, (5, 12, 4)),), (1, 12, 4)),
    "two images as one row": ((("cat", {"dim": 0, "with": "x"}, (10, 6, 4)),), (2, 6, 4)),
    "and parted again": (
        (("cat", {"dim": 0, "with": "x"}, (10, 6, 4)), ("split", {"dim": 0}, (5, 6, 4))),
        (1, 6, 4),
    ),
    "mean of the rest": ((("mean", {"dim": (1, 2)}, (5,)),), (1,)),
    "mean with axes kept": ((("mean", {"dim": -1}, (5, 6, 1)),), (1, 6, 1)),
    "again and again": ((("repeat", {}, (15, 6, 4)),), (3, 6, 4)),
    "each several times": ((("repeat_interleave", {}, (15, 6, 4)),), (3, 6, 4)),
    "matmul": ((("matmul", {"with": "w"}, (5, 6, 8)),), (1, 6, 8)),
    "scores": (
        (
            ("permute", {"dims": (0, 2, 1)}, (5, 4, 6)),
            ("matmul", {"with": "x", "behind": True}, (5, 6, 6)),
        ),
        (1, 6, 6),
    ),
    "attention": ((("attention", {"with": "x x"}, (5, 6, 4)),), (1, 6, 4)),
    "letters": ((("einsum", {"equation": "bij,bij->bi", "with": "x"}, (5, 6)),), (1, 6)),
    "rows of a map": ((("index", {"with": "table", "behind": True}, (5, 6, 4, 7)),), (1, 6, 4, 7)),
    "written into a constant": ((("scatter", {"with": "mask", "behind": True}, (5, 6, 4)),), (1, 6, 4)),
    "recurrent": ((("lstm", {"batch_first": True, "units": 7}, (5, 6, 7)),), (1, 6, 7)),
    "a loss": ((("mean", {"dim": None}, ()),), ()),
}
MIXED: dict[str, tuple[Step, ...]] = {
    "mean over images": (("mean", {"dim": 0}, (6, 4)),),
    "one image": (("select", {"dim": 0}, (6, 4)),),
    "some images": (("slice", {"dim": 0}, (2, 6, 4)),),
    "every image with every other": (("matmul", {"with": "x"}, (5, 5)),),
    "images as channels": (
        ("permute", {"dims": (1, 0, 2)}, (6, 5, 4)),
        ("conv", {"with": "k5"}, (6, 8, 2)),
    ),
    "cut through": (("view", {}, (3, 10, 4)),),
    "steps of a sequence": (("lstm", {"batch_first": False, "units": 7}, (5, 6, 7)),),
    "nobody knows": (("opaque", {"name": "my::op"}, IMAGE),),
    "another place": (
        ("permute", {"dims": (1, 0, 2)}, (6, 5, 4)),
        ("view", {}, (5, 6, 4)),
        ("add", {"with": "x"}, IMAGE),
    ),
    "gone": (("mean", {"dim": (0, 1)}, (4,)),),
}
WEIGHTS["k5"] = (8, 5, 3)


@pytest.mark.parametrize("case", FOLLOWED)
def test_followed(case: str) -> None:
    steps, shape = FOLLOWED[case]
    assert of_one(*steps) == shape


@pytest.mark.parametrize("case", MIXED)
def test_images_that_meet_keep_the_counts_of_the_file(case: str) -> None:
    first = (5, 6) if case == "every image with every other" else IMAGE
    assert of_one(*MIXED[case], first=first) is None


def test_inputs_that_begin_otherwise_are_no_batch() -> None:
    trace = chain(("relu", {}, IMAGE))
    tensors = {**trace.tensors, "y": Tensor("y", (7, 3), "float32")}
    found = per_image(trace._replace(tensors=tensors, inputs=("x", "y")), prune(trace))
    assert found.notes == (
        "counts are those of the whole input, not of one image: no axis is the batch, "
        "as its inputs begin with axes of 5, 7",
    )


def test_a_batch_of_one_is_what_is_counted() -> None:
    trace = chain(("relu", {}, (1, 6, 4)), first=(1, 6, 4))
    assert per_image(trace, prune(trace)) is trace

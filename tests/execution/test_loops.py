"""The counted loops: what they compute is the reference's, what they count is what is declared, and the
counter is one that no compiler can work out beforehand.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc.arithmetic import Margin
from archcalc.compiled import OPTIONS
from archcalc.errors import ShapeError
from archcalc.execution import reference
from archcalc.execution.counted import kernels, loops
from archcalc.execution.counted.arrays import Counter, counted
from archcalc.operators import TABLE, operator_class
from archcalc.operators.model import Operator
from archcalc.operators.shape import Shape

PACKAGE = Path(loops.__file__).parents[2]
RNG = np.random.default_rng(0)


def op(name: str, *required: Any, **optional: Any) -> Operator:
    return operator_class(name)(*required, **optional)


MAP, VECTOR, SEQUENCE = Shape(7, 9, 6), Shape(1, 1, 12), Shape(5, 12)
LINKS = [[0, 1], [1, 2, 5], [4]]
CASES: list[tuple[Operator, Shape]] = [
    (op("conv", 4), MAP),
    (op("conv", 4, k=3), MAP),
    (op("conv", 1, k=(7, 9)), MAP),
    (op("conv", 4, k=3, p=2), Shape(1, 1, 3)),
    (op("conv", 3, k=3, half=True), Shape(5, 4, 1)),
    (op("conv", 4, k=(1, 5), s=(2, 1), p=(0, 2), nobias=True), MAP),
    (op("conv", 4, k=3, s=2, d=2, half=True), MAP),
    (op("conv", 4, k=(3, 2), d=(1, 4)), MAP),
    (op("conv", 4, k=4, s=3, same=True), MAP),
    (op("conv", 4, k=3, s=2, same=True), MAP),
    (op("conv", 70, k=3), Shape(4, 4, 40)),
    (op("conv", 6, k=3, g=3, half=True), MAP),
    (op("conv", 3, k=3, g=3), MAP),
    (op("conv", 6, k=3, g=6, half=True), MAP),
    (op("conv", 6, k=3, s=2, d=2, g=6, p=1, nobias=True), MAP),
    (op("conv", 80, k=3, g=80, same=True), Shape(4, 5, 80)),
    (op("conv", 12, k=3, g=6, half=True, nobias=True), MAP),
    (op("conv", 3, k=3, table=LINKS), MAP),
    (op("conv", 3, k=3, s=2, p=1, table=LINKS, nobias=True), MAP),
    (op("deconv", 4), MAP),
    (op("deconv", 4, k=3, s=2), MAP),
    (op("deconv", 4, k=(5, 2), s=(2, 3), p=(1, 0)), MAP),
    (op("conv", 4, k=3, s=2, p=Margin(0, 1)), MAP),
    (op("deconv", 4, k=3, s=2, p=Margin(0, 1)), MAP),
    (op("avgpool", 3, s=2, p=(Margin(2, 0), Margin(0, 1)), ceil=True), MAP),
    (op("deconv", 4, k=3, s=2, p=1, out=1), MAP),
    (op("deconv", 4, k=3, d=2), MAP),
    (op("deconv", 4, k=(3, 2), s=(2, 4), d=(3, 2), g=2, p=(1, 0), out=(2, 1)), MAP),
    (op("deconv", 4, k=2, s=3, nobias=True), MAP),
    (op("deconv", 6, k=4, s=2, p=1, g=3), MAP),
    (op("deconv", 6, k=4, s=2, g=6), MAP),
    (op("linear", 5), VECTOR),
    (op("linear", 300, nobias=True), VECTOR),
    (op("linear", 5), Shape(1, 1, 1)),
    (op("linear", 7), SEQUENCE),
    (op("linear", 7, nobias=True), SEQUENCE),
    (op("unembed", words=9), SEQUENCE),
    (op("rnn", 7), SEQUENCE),
    (op("rnn", 5, act="relu", both=True, layers=2), SEQUENCE),
    (op("gru", 7, last=True), SEQUENCE),
    (op("gru", 5, before=True, biases=1), SEQUENCE),
    (op("lstm", 7, layers=2, both=True), SEQUENCE),
    (op("lstm", 7, proj=3, last=True, both=True), SEQUENCE),
    (op("attention", 3), SEQUENCE),
    (op("attention", 1), SEQUENCE),
    (op("attention", 12), SEQUENCE),
    (op("attention", 4), Shape(40, 72)),
    (op("attention", 4, kv=2, head=6, causal=True, rotary=True, nobias=True), SEQUENCE),
    (op("attention", 3, bare=True, relative=2, window=3), SEQUENCE),
    (op("windowattention", 2, 3), Shape(6, 9, 6)),
    (op("windowattention", 3, 4), MAP),
    (op("windowattention", 2, 4, shift=1), MAP),
    (op("windowattention", 6, 8, shift=3), MAP),
    (op("windowattention", 1, 10, shift=5), MAP),
    (op("rbf", 5), VECTOR),
    (op("maxpool", 1), MAP),
    (op("maxpool", 2), MAP),
    (op("maxpool", 3, s=2, ceil=True), MAP),
    (op("maxpool", (2, 3), s=(3, 2), p=1, ceil=True), MAP),
    (op("maxpool", 3, s=1, half=True), MAP),
    (op("maxpool", 3, s=2, same=True), MAP),
    (op("avgpool", 3, s=2, p=1), MAP),
    (op("avgpool", 2), Shape(6, 6, 70)),
    (op("avgpool", 3, s=2, p=1, ceil=True), Shape(8, 10, 5)),
    (op("avgpool", (2, 3), s=(3, 2), ceil=True), MAP),
    (op("sumpool", (2, 3)), MAP),
    (op("adaptivepool", (3, 2)), MAP),
    (op("adaptivepool", 12), MAP),
    (op("adaptivepool", 4, max=True), MAP),
    (op("gap"), MAP),
    (op("gap"), VECTOR),
    *((op(name, axis=axis), MAP) for name in ("mean", "sum", "max") for axis in ("height", "channels")),
]


TWO: list[tuple[Operator, Shape, Shape]] = [  # deformed windows with the offsets, and products
    (op("matmul"), SEQUENCE, Shape(12, 3)),
    (op("matmul", transposed=True, scaled=True), SEQUENCE, Shape(7, 12)),
    (op("deformconv", 4, k=3, p=1), MAP, Shape(7, 9, 18)),
    (op("deformconv", 4, k=(2, 3), s=2, d=(1, 2), p=Margin(0, 1), g=2), MAP, Shape(4, 3, 12)),
    (op("deformconv", 6, k=3, g=6, half=True, modulated=True), MAP, Shape(7, 9, 27)),
    (op("deformconv", 2, modulated=True, nobias=True), MAP, Shape(7, 9, 3)),
]


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize(("operator", "x", "other"), TWO, ids=str)
def test_loops_of_two_inputs(operator: Operator, x: Shape, other: Shape, images: int) -> None:
    """Offsets of several positions, also beyond the map; the operator has no class to ask."""
    arrays = [RNG.standard_normal((images, *map(int, s)), dtype=np.float32) for s in (x, other)]
    arrays[1] *= 2
    weights = {
        w.role: RNG.standard_normal(tuple(map(int, w.shape)), dtype=np.float32)
        for w in operator.weights(x, other)
    }
    bare = SimpleNamespace(**({"name": operator.name, "same": False, "ceil": False} | vars(operator)))
    executed, counter = loops.run(bare, arrays, weights), Counter()
    watched = [counted(array, counter) for array in arrays]
    oracle = np.asarray(reference.run(operator, watched, weights))
    assert executed.output.shape == oracle.shape == (images, *operator.output_shape(x, other))
    assert np.max(np.abs(executed.output - oracle)) <= 1e-4 * np.max(np.abs(oracle))
    assert executed.counts == {kind: count for kind, count in counter.counts.items() if count}
    stated = declared(operator, x, other)
    assert executed.counts == {kind: images * count for kind, count in stated.items()}


def data(operator: Operator, x: Shape, images: int = 1) -> tuple[Any, dict[str, Any]]:
    """Normal inputs and weights, the weights wide enough apart to be told from each other."""
    array = RNG.standard_normal((images, *map(int, x)), dtype=np.float32)
    shapes = {w.name: tuple(map(int, w.shape)) for w in operator.weights(x)}
    return array, {r: RNG.standard_normal(s, dtype=np.float32) for r, s in shapes.items()}


def declared(operator: Operator, *inputs: Shape) -> dict[str, int]:
    counts: dict[str, int] = {}
    for work in operator.work(*inputs):
        counts[work.kind] = counts.get(work.kind, 0) + int(work.total)
    counts["multiplies"] = counts.get("multiplies", 0) + counts.get("products", 0)
    return {kind: count for kind, count in counts.items() if count}


def check(operator: Operator, x: Shape, images: int = 1) -> None:
    """Loops, reference and declaration: one shape, one output, the same counts."""
    array, weights = data(operator, x, images)
    executed = loops.run(operator, [array], weights)
    counter = Counter()
    oracle = np.asarray(reference.run(operator, [counted(array, counter)], weights))
    assert executed.output.dtype == np.float32
    assert executed.output.shape == oracle.shape == (images, *operator.output_shape(x))
    assert np.max(np.abs(executed.output - oracle)) <= 1e-4 * np.max(np.abs(oracle))
    assert executed.counts == {kind: count for kind, count in counter.counts.items() if count}
    assert executed.counts == {kind: images * count for kind, count in declared(operator, x).items()}


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize(("operator", "x"), CASES, ids=str)
def test_loops_agree_with_reference_and_declaration(operator: Operator, x: Shape, images: int) -> None:
    check(operator, x, images)


PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 3), PAIRS, PAIRS, PAIRS, st.sampled_from(["p", "half", "same"]))
def test_any_convolution(draw: st.DataObject, groups: int, k: Any, s: Any, d: Any, padding: str) -> None:
    inside, outside = draw.draw(st.integers(1, 3)), draw.draw(st.integers(1, 3))
    x = Shape(draw.draw(st.integers(1, 12)), draw.draw(st.integers(1, 12)), groups * inside)
    amount = {"p": draw.draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))}
    try:
        how = amount if padding == "p" else {padding: True}
        operator = op("conv", groups * outside, k=k, s=s, d=d, g=groups, **how)
        operator.output_shape(x)
    except ShapeError:
        return
    check(operator, x)


def test_every_operator_has_loops_or_a_reason() -> None:
    assert loops.LOOPS.keys() | loops.REFUSED.keys() == TABLE.keys()
    assert not loops.LOOPS.keys() & loops.REFUSED.keys()
    assert all(loops.REFUSED.values())
    assert {operator.name for operator, *_ in (*CASES, *TWO)} == loops.LOOPS.keys()


@pytest.mark.parametrize(("operator", "x"), CASES, ids=str)
def test_loops_see_arguments_only(operator: Operator, x: Shape) -> None:
    """Without its class an operator has no `work` and no `output_shape` to ask."""
    flags = dict.fromkeys(("half", "same", "ceil", "zeros", "nozeros"), False)
    defaults = {"name": operator.name, "d": (1, 1), **flags}
    array, weights = data(operator, x)
    bare = loops.run(SimpleNamespace(**(defaults | vars(operator))), [array], weights)
    assert bare.counts == declared(operator, x)
    assert bare.output.shape[1:] == (*operator.output_shape(x),)


def test_arrays_come_as_they_are() -> None:
    """float64, backwards and read-only: the same values."""
    operator = op("conv", 4, k=3, half=True)
    array, weights = data(operator, MAP)
    plain = loops.run(operator, [array], weights)
    mirrored = array.astype(np.float64)[:, ::-1].copy()[:, ::-1]
    fixed = {role: np.frombuffer(w.tobytes(), w.dtype).reshape(w.shape) for role, w in weights.items()}
    other = loops.run(operator, [mirrored], fixed)
    assert np.array_equal(plain.output, other.output)
    assert plain.counts == other.counts


# Honest counters: NaN is the only number that is not equal to itself.

INCEPTION = op("conv", 32, k=5, half=True), Shape(28, 28, 192)
CONVOLUTIONS = [case for case in CASES if case[0].name == "conv"]
OTHERS = [  # a crop would hide products that were executed
    (operator, x)
    for operator, x in CASES
    if operator.name == "linear" or (operator.name == "deconv" and not any(map(any, operator.p)))
]


def ones(operator: Operator, x: Shape) -> dict[str, Any]:
    """Weights that make each output the sum of the inputs that it sees."""
    weights = {w.name: np.ones(tuple(map(int, w.shape)), np.float32) for w in operator.weights(x)}
    return weights | {"bias": np.zeros_like(weights["bias"])} if "bias" in weights else weights


def seen(operator: Operator, x: Shape, pixels: Any) -> int:
    """How many products these pixels take part in, by the reference, whose outputs add them up."""
    return int(reference.run(operator, [pixels.astype(np.float32)], ones(operator, x)).sum())


@pytest.mark.parametrize(("operator", "x"), [*CONVOLUTIONS, *OTHERS, INCEPTION], ids=str)
def test_nan_pixels_leave_the_products_they_reach(operator: Operator, x: Shape) -> None:
    array, weights = data(operator, x)
    poisoned = RNG.random(array.shape) < 0.2
    products = loops.run(operator, [np.where(poisoned, np.nan, array)], weights).counts.get(
        "products", 0
    )
    assert products == declared(operator, x)["products"] - seen(operator, x, poisoned)


@pytest.mark.parametrize(("operator", "x"), [*CONVOLUTIONS, INCEPTION], ids=str)
def test_useful_products_are_those_with_real_pixels(operator: Operator, x: Shape) -> None:
    array, weights = data(operator, x)
    assert loops.useful(operator, [array], weights) == seen(operator, x, np.ones_like(array))


@pytest.mark.parametrize(
    ("operator", "x"),
    [
        (op("conv", 5, k=3, s=2, half=True), MAP),
        (op("conv", 6, k=3, g=6, half=True), MAP),
        (op("deconv", 5, k=3, s=2), MAP),
        (op("linear", 5), SEQUENCE),
        (op("rbf", 5), VECTOR),
        (op("maxpool", 3, s=2), MAP),
        (op("avgpool", 3, s=2), MAP),
        (op("sumpool", 2), MAP),
        (op("gap"), MAP),
    ],
    ids=str,
)
def test_every_kind_of_step_is_counted_on_its_result(operator: Operator, x: Shape) -> None:
    """One output channel all NaN: it alone is missing, from each kind."""
    array, weights = data(operator, x)
    for target in (weights[role] for role in weights if role != "bias") if weights else [array]:
        target[..., -1] = np.nan
    channels = operator.output_shape(x).channels
    expected = {kind: n - n // channels for kind, n in declared(operator, x).items()}
    assert loops.run(operator, [array], weights).counts == expected


def test_a_bias_is_counted_on_its_result() -> None:
    operator = op("conv", 4, k=3)
    array, weights = data(operator, MAP)
    weights["bias"][0] = np.nan
    expected = declared(operator, MAP)
    expected["additions"] -= operator.output_shape(MAP).positions
    assert loops.run(operator, [array], weights).counts == expected


NESTS = [
    name for name in vars(kernels) if name.endswith(("_rows", "_units")) or name in ("bias", "scale")
]
STEP = re.compile(
    r"(%\S+) = (?:f(?:add|sub|mul|div) |select .* x float>|select .* float |(?:tail )?call .*exp)"
)
COMPARED = re.compile(r"fcmp (?:ord|uno) (?:<\d+ x float>|float) (%[^,]+),")


def steps(kernel: Any, signature: Any) -> tuple[set[str], set[str]]:
    """The float results of the optimized code, and those of them that are compared with themselves."""
    fresh = numba.njit(**OPTIONS)(kernel.py_func)
    fresh.compile(signature)
    code = fresh.inspect_llvm(signature)
    assert not re.search(r"f(add|mul) (fast|nnan|ninf|reassoc)", code)
    bodies = re.findall(r"^define .*?^}", code, re.MULTILINE | re.DOTALL)
    (body,) = [body for body in bodies if STEP.search(body)]
    return set(STEP.findall(body)), set(COMPARED.findall(body))


@pytest.mark.parametrize("name", NESTS)
def test_no_step_is_compiled_without_its_comparison(name: str) -> None:
    """In the code as optimized and vectorized: each result of a float operation is compared."""
    for operator, x in CASES:
        array, weights = data(operator, x)
        loops.run(operator, [array], weights)
    kernel = getattr(kernels, name)
    (signature,) = kernel.signatures  # whatever the arrays were like: one compilation
    results, compared = steps(kernel, signature)
    assert results == compared
    assert results


def test_the_test_sees_a_folded_counter() -> None:
    """`count += 1` has no comparison: the multiplies are there, and nothing counts them."""

    def scale(y: Any, factor: Any) -> int:
        multiplies = 0
        for i in range(y.size):
            y[i] = y[i] * factor
            multiplies += 1
        return multiplies

    results, compared = steps(
        SimpleNamespace(py_func=scale), numba.types.int64(*kernels.scale.signatures[0]).args
    )
    assert results
    assert not compared


# One door to numba, and a cache that may fail.


def python(code: str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG", "PYTHON"))}
    result = subprocess.run(
        [sys.executable, "-P", "-c", code], env=kept | environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_the_reference_needs_no_numba() -> None:
    code = "import sys, archcalc.execution.{}; print('numba' in sys.modules)"
    assert python(code.format("reference")) == "False"
    assert python(code.format("counted.arrays")) == "False"
    assert python(code.format("counted.loops")) == "True"


RUN = """
import sys
import numpy as np
from archcalc.execution.counted import kernels
{}
multiplies = kernels.scale(np.ones((6, 4), np.float32), np.ones(6, np.float32))
print(multiplies, sum(kernels.scale.stats.cache_hits.values()))
"""
COUNTS = "24"  # a multiply a value


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package that cannot be written: a file stands where each cache would be."""
    copy = tmp_path / "copy"
    shutil.copytree(PACKAGE, copy / "archcalc", ignore=shutil.ignore_patterns("__pycache__"))
    for place in ("archcalc", "archcalc/execution/counted"):
        (copy / place / "__pycache__").write_text("no folder")
    return copy


def test_no_place_for_a_cache_is_no_error(copied: Path) -> None:
    """Permissions do not bind root, but nobody makes a folder inside of a file."""
    file = copied / "file"
    file.touch()
    nowhere = {
        "HOME": str(file / "home"),
        "NUMBA_CACHE_DIR": str(file / "cache"),
        "PYTHONPATH": str(copied),
    }
    refused = """
import numba
try:
    numba.njit(cache=True)(kernels.scale.py_func)
except RuntimeError as error:
    assert "no locator available" in str(error)
else:
    raise AssertionError("there is a place after all")
"""
    assert python(RUN.format(refused), **nowhere) == f"{COUNTS} 0"


def test_kernels_are_cached_and_a_torn_cache_is_no_error(copied: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    where = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(copied)}
    assert python(RUN.format(""), **where) == f"{COUNTS} 0"
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files
    assert python(RUN.format(""), **where) == f"{COUNTS} 1"
    assert [path for path in cache.rglob("*") if path.is_file()] == files
    for flipped in (True, False):
        for path in files:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data if flipped else data[:40])
        assert python(RUN.format(""), **where) == f"{COUNTS} 0"
    assert python(RUN.format(""), **where) == f"{COUNTS} 1"


def test_a_cache_that_vanishes_is_no_error(copied: Path, tmp_path: Path) -> None:
    """Numba looked for it at import; at the first call it is a file."""
    cache = tmp_path / "cache"
    vanish = f"""
import pathlib, shutil
shutil.rmtree({str(cache)!r})
pathlib.Path({str(cache)!r}).touch()
"""
    where = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(copied)}
    assert python(RUN.format(vanish), **where) == f"{COUNTS} 0"

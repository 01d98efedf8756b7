"""`.pt2` files that are broken, cut, or made to harm: one error with the place, at once."""

from __future__ import annotations

import copy
import json
import pickle
import random
import resource
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import model_mutants
from support.campaign import SEED
from support.model_mutants import HUGE, MEMBER

from archcalc.errors import ArchError
from archcalc.interop.batch import per_image
from archcalc.interop.load import read
from archcalc.interop.prune import prune
from archcalc.interop.tally import tally

FILES = Path(__file__).parents[1] / "data" / "pt2"


LIMITED = """
import resource, sys
from archcalc.interop.load import read
from archcalc.errors import ArchError
try:
    read(sys.argv[1], {}, {})
except ArchError as error:
    print(error)
try:  # ru_maxrss begins with that of the process before
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(int(peak) // 1024)
"""


def program(name: str = "frozen") -> dict[str, Any]:
    with zipfile.ZipFile(FILES / f"{name}.pt2") as file:
        found: dict[str, Any] = json.loads(file.read(f"{name}/models/model.json"))
    return found


def written(path: Path, text: str | bytes, member: str = MEMBER) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(member, text)
    return str(path)


def work(path: str) -> None:
    trace = read(path, {}, {})
    pruned = prune(trace)
    tally(per_image(trace, pruned), pruned, allow_unknown=True)


def refusal(path: str) -> str:
    begin = time.perf_counter()
    with pytest.raises(ArchError) as error:
        work(path)
    assert time.perf_counter() - begin < 5
    return str(error.value)


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    found = program()
    change(found)
    return json.dumps(found)


def graph(found: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = found["graph_module"]["graph"]
    return inner


def node(found: dict[str, Any], index: int) -> dict[str, Any]:
    inner: dict[str, Any] = graph(found)["nodes"][index]
    return inner


def set_size(found: dict[str, Any], size: object, tensor: str = "conv2d") -> None:
    graph(found)["tensor_values"][tensor]["sizes"][1] = size


def expression(text: str) -> dict[str, object]:
    return {"as_expr": {"expr_str": text}}


def read_later(found: dict[str, Any]) -> None:
    node(found, 0)["inputs"][0]["arg"]["as_tensor"]["name"] = "linear"


def make_twice(found: dict[str, Any]) -> None:
    graph(found)["nodes"].append(copy.deepcopy(node(found, 0)))


def forget_kind(found: dict[str, Any]) -> None:
    node(found, 2)["inputs"][0] = {"name": "self"}


CONV = "node 0 conv2d (torch.ops.aten.conv2d.default)"
NOT_TORCH = "is not written as torch writes it"
CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a cycle": (read_later, f"{CONV}: it reads linear, which nothing before it makes"),
    "made twice": (make_twice, f"{CONV.replace('node 0', 'node 7')}: it makes conv2d a second time"),
    "a negative size": (lambda f: set_size(f, {"as_int": -1}), f"{CONV}: a size of -1"),
    "2^63": (lambda f: set_size(f, {"as_int": HUGE + 1}), f"{CONV}: a size of 9223372036854775808"),
    "too many values": (
        lambda f: set_size(f, {"as_int": HUGE}),
        f"{CONV}: its tensor conv2d has more than 2^63 values",
    ),
    "a size that is true": (lambda f: set_size(f, {"as_int": True}), f"{CONV}: a size of True"),
    "half a size": (lambda f: set_size(f, {"as_int": 1.5}), f"{CONV}: a size of 1.5"),
    "no size": (lambda f: set_size(f, {}), f"{CONV}: it {NOT_TORCH}"),
    "a size of a run": (
        lambda f: set_size(f, expression("Symbol('u0', integer=True)")),
        f"{CONV}: the size u0 depends on values that only a run knows",
    ),
    "a tower of powers": (
        lambda f: set_size(f, expression("9**9**9**9")),
        f"{CONV}: a size cannot be read: a power that is no small integer",
    ),
    "a call": (
        lambda f: set_size(f, expression("__import__('os').system('x')")),
        f"{CONV}: a size cannot be read: `__import__('os').system('x')` is no size",
    ),
    "parentheses": (
        lambda f: set_size(f, expression("(" * 2000 + "1" + ")" * 2000)),
        f"{CONV}: a size cannot be read: `{'(' * 60}` is no expression",
    ),
    "a long text": (
        lambda f: set_size(f, expression("1+" * 10**6 + "1")),
        f"{CONV}: a size cannot be read: an expression of 2000001 characters",
    ),
    "an argument without a kind": (
        forget_kind,
        f"node 2 relu (torch.ops.aten.relu.default): it {NOT_TORCH}",
    ),
    "a node that is none": (lambda f: graph(f)["nodes"].insert(0, 3), f"node 0: it {NOT_TORCH}"),
    "no nodes": (lambda f: graph(f).pop("nodes"), f"its graph {NOT_TORCH}"),
    "no signature": (lambda f: f["graph_module"].pop("signature"), f"its signature {NOT_TORCH}"),
    "no version": (lambda f: f.pop("schema_version"), f"its schema version {NOT_TORCH}"),
    "an output of nothing": (
        lambda f: f["graph_module"]["signature"]["output_specs"].append(
            {"user_output": {"arg": {"as_tensor": {"name": "none"}}}}
        ),
        f"its graph {NOT_TORCH}",
    ),
    "modules without end": (
        lambda f: node(f, 0)["metadata"].update(nn_module_stack="a.b" * 50_000),
        f"{CONV}: its modules have 150,000 characters",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_error_with_the_place(case: str, tmp_path: Path) -> None:
    change, message = CASES[case]
    assert refusal(written(tmp_path / "m.pt2", changed(change))) == f"m.pt2: {message}"


def test_shapes_that_no_operation_has(tmp_path: Path) -> None:
    def flat(found: dict[str, Any]) -> None:
        graph(found)["tensor_values"]["p_0_weight"]["sizes"] = []
        node(found, 6)["inputs"].pop(1)

    assert refusal(written(tmp_path / "m.pt2", changed(flat))) == (
        "m.pt2: node 6 linear (torch.ops.aten.linear.default) cannot be counted: it has no input 1"
    )


def test_json_that_is_none_or_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "m.pt2"
    assert refusal(written(path, "{")).startswith(f"m.pt2: {MEMBER} is no JSON: ")
    assert refusal(written(path, b"\xff\xfe{}")).startswith(f"m.pt2: {MEMBER} is no JSON: ")
    assert refusal(written(path, "[" * 100_000)) == f"m.pt2: {MEMBER} is nested too deeply"
    assert refusal(written(path, '{"a":' * 100_000)) == f"m.pt2: {MEMBER} is nested too deeply"
    assert refusal(written(path, "[]")) == f"m.pt2: its schema version {NOT_TORCH}"
    assert refusal(written(path, "1" * 100_000)).startswith(f"m.pt2: {MEMBER} is no JSON: ")


def test_graphs_inside_graphs_without_end(tmp_path: Path) -> None:
    found = program("silent")
    outer = next(n for n in graph(found)["nodes"] if "higher_order" in n["target"])
    for _ in range(30):
        held = next(i for i in outer["inputs"] if "as_graph" in i["arg"])["arg"]["as_graph"]
        inner = copy.deepcopy(outer)
        for given, name in zip(
            [i for i in inner["inputs"] if "as_tensor" in i["arg"]], held["graph"]["inputs"], strict=True
        ):
            given["arg"] = name
        held["graph"]["nodes"] = [inner]
        held["graph"]["outputs"] = inner["outputs"]
        held["graph"]["tensor_values"] |= graph(found)["tensor_values"]
    assert "graphs inside graphs, too deep" in refusal(written(tmp_path / "m.pt2", json.dumps(found)))


@pytest.mark.parametrize("part", range(20))
def test_cut_anywhere(part: int, tmp_path: Path) -> None:
    data = (FILES / "frozen.pt2").read_bytes()
    path = tmp_path / "m.pt2"
    path.write_bytes(data[: len(data) * part // 20])
    assert refusal(str(path))


def test_a_zip_that_is_cut_says_so(tmp_path: Path) -> None:
    path = tmp_path / "m.pt2"
    path.write_bytes((FILES / "frozen.pt2").read_bytes()[:-30])
    assert refusal(str(path)) == "m.pt2: it is no whole zip file: its directory is missing"


@pytest.mark.parametrize("name", ["../models/m.json", "m/../../models/x.json", "m\\..\\x"])
def test_paths_that_climb(name: str, tmp_path: Path) -> None:
    told = refusal(written(tmp_path / "m.pt2", "{}", name))
    assert told == f"m.pt2: its member {name} climbs out of the archive"


def test_pickles_inside_are_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (print, ("opened",))

    path = tmp_path / "m.pt2"
    written(path, json.dumps(program()))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("m/data/sample_inputs/m.pt", pickle.dumps(Trap()))
        file.writestr("m/data/weights/m_weights_config.json", '{"config": {}}')
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.strip().isdigit()  # its memory, and nothing of the trap's


def limited(path: Path) -> str:
    """The refusal, of a process that takes under 500 MB and 5 seconds."""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime < 5
    message, megabytes = ran.stdout.strip().rsplit("\n", 1)
    assert int(megabytes) < 500
    return message


def bomb(path: Path, data: bytes, times: int, says: int | None = None) -> None:
    """A zip of one member: `data` so many times over; it says that it has another size."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(pack.compress(data) for _ in range(times)) + pack.flush()
    size, name = len(data) * times if says is None else says, MEMBER.encode()
    facts = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0)
    local = b"PK\3\4" + facts + name + packed
    entry = b"PK\1\2" + struct.pack("<H", 20) + facts + bytes(14) + name
    path.write_bytes(
        local + entry + b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(entry), len(local), 0)
    )


def test_zip_bombs(tmp_path: Path) -> None:
    path = tmp_path / "m.pt2"
    bomb(path, b" " * (1 << 20), 200)
    assert limited(path) == f"m.pt2: its member {MEMBER} of 209,715,200 bytes is too large"
    bomb(path, b" " * (1 << 20), 200, says=10)
    assert limited(path) == f"m.pt2: its member {MEMBER} unpacks to more than 100,663,296 bytes"


@pytest.mark.parametrize("piece", [b"[],", b"{},", b'"ab",', b"1,", b"[[[[]]]],", b'{"a":{}},'])
def test_small_values_without_end(piece: bytes, tmp_path: Path) -> None:
    """A text of 90 MB would be some gigabytes of Python's objects."""
    path = tmp_path / "m.pt2"
    times = 90 * (1 << 20) // (len(piece) * 1000)
    bomb(path, piece * 1000, times)
    assert limited(path).endswith("bytes is too large to be read")


def test_directories_that_claim_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "m.pt2"
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(b"PK\3\4" + bytes(60) + end)
    assert refusal(str(path)) == "m.pt2: its directory of 65,535 members is too large"
    record = b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 20, 20, 0, 0, 10**9, 10**9, 1 << 62, 0)
    locator = b"PK\6\7" + struct.pack("<LQL", 0, 4, 1)
    path.write_bytes(b"PK\3\4" + record + locator + end)
    assert refusal(str(path)) == "m.pt2: its directory of 1,000,000,000 members is too large"
    far = b"PK\6\7" + struct.pack("<LQL", 0, 1 << 62, 1)
    path.write_bytes(b"PK\3\4" + far + end)
    assert refusal(str(path)).startswith("m.pt2: it ends early: 46 bytes, where 4,611,686,018,427,38")


def test_many_writes_into_many_views_take_no_square_of_time(tmp_path: Path) -> None:
    found = program()
    meta = graph(found)["tensor_values"]["relu"]

    def step(target: str, read: str, made: str) -> dict[str, Any]:
        graph(found)["tensor_values"][made] = meta
        tensor = {"name": "self", "arg": {"as_tensor": {"name": read}}}
        target = f"torch.ops.aten.{target}.default"
        return {
            "target": target,
            "inputs": [tensor],
            "outputs": [{"as_tensor": {"name": made}}],
            "metadata": {},
        }

    count = 5000
    steps = [step("view", "relu", f"view{i}") for i in range(count)]
    steps += [step("relu_", "view0", f"write{i}") for i in range(count)]
    steps += [step("neg", f"view{i}", f"neg{i}") for i in range(count)]
    graph(found)["nodes"][3:3] = steps
    begin = time.perf_counter()
    work(written(tmp_path / "m.pt2", json.dumps(found)))
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("number", range(150))
def test_mutated_graphs(number: int, tmp_path: Path) -> None:
    """Each is counted, or refused by an ArchError; nothing else is ever raised."""
    path = tmp_path / "m.pt2"
    model_mutants.pt2(random.Random(f"{SEED}/{number}"), path)
    try:
        work(str(path))
    except ArchError as error:
        assert str(error).startswith("m.pt2")

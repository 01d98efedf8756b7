"""Imports go one way, and the closed-form commands start light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "archcalc"

# each room may import from itself and from the rooms before it
ORDER = [
    {"tuples"},
    {"errors", "garbage", "caches", "regular"},
    {"symbols", "units"},
    {"rationals"},
    {"address_space", "arithmetic", "formats"},
    {"compiled"},
    {"spec", "operators"},
    {"graph"},
    {"analysis", "interop", "recovery"},
    {"network", "execution", "imported"},
    {"audit", "drawing", "lint", "lowered"},
    {"files", "export"},
    {"api"},
    {"totals", "sweeps.machine", "sweeps.metrics"},
    {"sweeps.space", "listing"},
    {"budget"},
    {"sweeps.program"},
    {"sweeps.evaluation"},
    {"sweeps.results", "sweeps.rows"},
    {"sweeps.distributed"},
    {"reports"},
    {"views"},
    {"live"},
    {"commands"},
    {"cli"},
    {"__main__", "__init__"},
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}


def room(parts: Sequence[str]) -> str:
    """The room of a module's place: `spec`, `sweeps.space`."""
    return ".".join(parts[: 2 if parts[0] == "sweeps" else 1])


def room_of(path: Path) -> str:
    return room(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Imports, functions and classes of a file, also inside others."""
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, kept)]


def imports_of(path: Path) -> set[str]:
    """The rooms of archcalc that a file imports from, also inside functions."""
    rooms = set()
    for node in nodes_of(path):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name in ("archcalc", "archcalc.sweeps"):
                place = name.split(".")[1:]
                rooms |= {room([*place, alias.name]) for alias in node.names} - {"__version__"}
            elif name.startswith("archcalc."):
                rooms.add(room(name.split(".")[1:]))
    return rooms


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_imports_go_one_way(path: Path) -> None:
    own = room_of(path)
    for other in imports_of(path) - {own}:
        assert LEVEL[other] < LEVEL[own], f"{own} imports {other}"


HEAVY = ("numpy", "numba", "rich")
ARRAYS = ("execution", "files", "export", "sweeps.machine")
RICH = ("commands/help.py", "commands/sweep_progress.py")  # inside functions: only while a person looks


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    "words",
    [
        ["params", "vgg16"],
        ["flops", "inception", "--bottleneck", "16"],
        ["show", "resnet50", "--format", "csv"],
        ["flops", "vgg16", "--census", "--format", "json"],
        ["list"],
        ["cat", "vgg16", "--expand"],
        ["draw", "resnet50"],
        ["draw", "resnet50", "--format", "svg"],
        ["reconcile", "resnet50", "4111514624"],
        ["reconcile", str(PACKAGE.parent / "tests/data/pt2/resnet18.pt2"), "1.82G"],
        ["flops", "resnet50", "--as", "thop"],
        ["params", "--help"],
        ["audit", "lenet5"],
        ["help", "counting"],
    ],
    ids=" ".join,
)
def test_closed_form_commands_start_light(words: list[str]) -> None:
    """As a whole process: neither numpy nor numba is imported."""
    assert imported(words, HEAVY) == "[]"


def imported(words: list[str], names: Sequence[str]) -> str:
    """The modules among `names` that are imported once a command has run."""
    code = f"""
import sys
sys.argv = ["archcalc", *{words!r}]
from archcalc.__main__ import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print([m for m in {names!r} if m in sys.modules])
"""
    return run_python(code).splitlines()[-1]


SLOW = ("dataclasses", "json", "pathlib", "hashlib", "logging")  # one to three milliseconds each


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        ("params vgg16", "fractions archcalc.audit archcalc.analysis.memory archcalc.graph.unread"),
        ("memory vgg11", "fractions archcalc.audit.verdicts archcalc.operators.attention"),
        ("memory vgg16", "archcalc.audit.terms archcalc.audit.conventions archcalc.audit.search"),
        ("show resnet18 --all", "fractions archcalc.audit archcalc.operators.attention"),
        ("show resnet18 --roofline --device a100-40gb", "archcalc.operators.attention"),
    ],
)
def test_a_command_imports_what_it_needs(words: str, unused: str) -> None:
    assert imported(words.split(), (*SLOW, *unused.split())) == "[]"


def test_a_sweep_imports_what_it_needs() -> None:
    """It has threads, which bring `logging`; nothing is recorded on disk where sizes alone vary."""
    unused = ("numba", "json", "pathlib", "hashlib", "archcalc.sweeps.evaluation.remembered")
    assert imported(["sweep", "vgg16", "--vary", "classes=10,20"], unused) == "[]"


def test_import_archcalc_imports_nothing() -> None:
    loaded = run_python("import sys, archcalc; print([m for m in sys.modules if 'archcalc.' in m])")
    assert loaded.strip() == "[]"


def test_public_names_arrive() -> None:
    import archcalc

    for name in archcalc.__all__:
        assert getattr(archcalc, name) is not None
    with pytest.raises(AttributeError):
        archcalc.nothing  # noqa: B018


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_named_tuples_are_of_the_house(path: Path) -> None:
    """Those of typing take twice as long to make."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and "NamedTuple" in {alias.name for alias in node.names}:
            assert node.module == "archcalc.tuples" or path == PACKAGE / "tuples.py"


FUNCTION, FILE = 40, 300


def test_files_and_functions_stay_small(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures for the eye; the limits are the house's."""
    lines = {p: p.read_text(encoding="utf-8").count("\n") for p in PACKAGE.rglob("*.py")}
    functions = {
        f"{p.relative_to(PACKAGE)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for p in lines
        for node in nodes_of(p)
        if isinstance(node, ast.FunctionDef)
    }
    with capsys.disabled():
        middle = sorted(functions.values())[len(functions) // 2]
        print(f"\n{len(lines)} files, largest {max(lines.values())} lines; functions: median {middle}")
    assert {n: size for n, size in functions.items() if size > FUNCTION} == {}
    assert {str(p.relative_to(PACKAGE)): size for p, size in lines.items() if size > FILE} == {}


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_arrays_stay_in_their_room(path: Path) -> None:
    """numpy has three rooms, numba one door; rich is imported where it is seen."""
    names = {a.name for n in nodes_of(path) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in nodes_of(path) if isinstance(n, ast.ImportFrom)}
    heavy = {name.partition(".")[0] for name in names} & set(HEAVY)
    allowed = {"numpy"} if room_of(path) in ARRAYS else set()
    if path == PACKAGE / "compiled.py":
        allowed = {"numba"}
    if str(path.relative_to(PACKAGE)) in RICH:
        allowed = {"rich"}
    assert heavy <= allowed


def test_a_class_name_means_one_thing() -> None:
    """A private name of a module is its own."""
    homes: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}

"""What archcalc says that a tool prints, against what the tool printed.

tests/data/tools.csv holds the output of the tools with version and call, as record_tools.py recorded it.
"""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from support.sampled import sample

import archcalc
from archcalc.analysis.costs import Analysis
from archcalc.api import Network
from archcalc.audit import modules
from archcalc.audit.amounts import AMOUNTS, summands
from archcalc.audit.recount import Recount, printed_by, recount
from archcalc.audit.tables import ANY, NoCount, ToolCount
from archcalc.audit.tools import TOOLS
from archcalc.commands.as_tool import TOOLS as CHOICES
from archcalc.errors import UsageError
from archcalc.operators import TABLE
from archcalc.spec import catalog
from archcalc.spec.bundle import folder
from archcalc.spec.model import Source

DATA = Path(__file__).parents[1] / "data"
ROWS = list(csv.DictReader((DATA / "tools.csv").open(encoding="utf-8")))
PRINTED: dict[tuple[str, str], dict[str, str]] = {}
for row in ROWS:
    PRINTED.setdefault((row["tool"], row["network"]), {})[row["quantity"]] = row["value"]
COUNTED = [
    (tool.name, quantity)
    for tool in TOOLS.values()
    for quantity, count in tool.counts.items()
    if isinstance(count, ToolCount)
]
CODE = {
    library: tomllib.loads(Path(folder(), "code", f"{library}.toml").read_text(encoding="utf-8"))
    for library in ("torchvision", "keras")
}


# where torchsummary itself stops with an error, or what it sees inside is not known
STOPS = {
    ("torchsummary", "densenet121"): "takes a list",
    ("torchsummary", "vit_b_16"): "puts out None",
    ("torchsummary", "swin_t"): "not known here",
    ("torchsummary", "googlenet_torch:aux=true"): "train mode",
    ("torchsummary", "inception_v3:aux=true"): "train mode",
}


@cache
def load(name: str) -> Network:
    """A network that is analyzed once for all tools."""
    return archcalc.load(str(DATA / name) if name.endswith(".toml") else name)


def counted(tool: str, quantity: str, name: str) -> Recount:
    network = load(name)
    return recount(tool, quantity, network.name, network.spec.source, network.analyze())


@pytest.mark.parametrize(("tool", "network"), PRINTED)
def test_prints_what_the_tool_printed(tool: str, network: str) -> None:
    printed = PRINTED[tool, network]
    for quantity in (quantity for name, quantity in COUNTED if name == tool):
        if (tool, network) in STOPS:
            with pytest.raises(UsageError, match=STOPS[tool, network]):
                counted(tool, quantity, network)
            continue
        found = counted(tool, quantity, network)
        for line in found.printed:
            title, _, text = line.partition(": ")
            assert printed[title] == text, quantity


@pytest.mark.parametrize("network", [network for tool, network in PRINTED if tool == "torchinfo"])
def test_torchinfo_to_the_last_unit(network: str) -> None:
    """Its printed sizes have two decimals; its attributes are exact."""
    printed = PRINTED["torchinfo", network]
    assert counted("torchinfo", "flops", network).total == int(printed["total_mult_adds"])
    sums = counted("torchinfo", "memory", network).sums
    names = ("total_input", "total_output_bytes", "total_param_bytes")
    assert [sum(counts) for counts in sums.values()] == [int(printed[name]) for name in names]


OPERATIONS = {
    "flops conv": {"Conv2d", "ConvTranspose2d"},
    "flops batch_norm": {"BatchNorm2d"},
    "flops layer_norm": {"LayerNorm", "LayerNorm2d"},
    "flops instance_norm": {"InstanceNorm2d"},
    "flops group_norm": {"GroupNorm"},
    "flops adaptive_avg_pool2d": {"AdaptiveAvgPool2d", "F.adaptive_avg_pool2d"},
    "flops upsample_nearest2d": {"Upsample"},
    "flops linear + matmul": {"Linear", "MultiheadAttention", "ShiftedWindowAttention"},
}


@pytest.mark.parametrize("network", [network for tool, network in PRINTED if tool == "fvcore"])
def test_fvcore_by_operation(network: str) -> None:
    """Not the total alone: every kind of module has what fvcore's own breakdown gives it."""
    rows = PRINTED["fvcore", network].items()
    printed = Counter({name: int(n) for name, n in rows if name.startswith("flops ")})
    printed["flops linear + matmul"] = printed.pop("flops linear", 0) + printed.pop("flops matmul", 0)
    found = counted("fvcore", "flops", network)
    by_module: Counter[str] = Counter()
    for module, count in zip(found.code.names, found.sums["flops"], strict=True):
        by_module[module] += count
    for name, classes in OPERATIONS.items():
        assert sum(by_module[m] for m in classes) == printed[name], name
    assert set(printed) <= set(OPERATIONS)


@pytest.mark.parametrize("tool", TOOLS)
def test_ten_networks_each_of_the_version_named(tool: str) -> None:
    rows = [row for row in ROWS if row["tool"] == tool]
    assert len({row["network"] for row in rows}) >= 10
    assert {row["version"] for row in rows} == {TOOLS[tool].version}
    libraries = {row["library"] for row in rows} - {"record_tools.py"}
    assert libraries == ({"keras"} if tool == "keras" else {CODE["torchvision"]["library"]})


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(sample(others=0), id="sample"),
        pytest.param(catalog.names(), id="every network", marks=pytest.mark.zoo),
    ],
)
@pytest.mark.parametrize(("tool", "quantity"), COUNTED)
def test_differences_sum_up(tool: str, quantity: str, names: Collection[str]) -> None:
    """Total = ours + differences, layer by layer and in all; or the network is refused with a reason."""
    told = 0
    for name in sorted(names):
        network = load(name)
        analysis = network.analyze()
        try:
            found = recount(tool, quantity, name, network.spec.source, analysis)
        except UsageError as refusal:
            assert refusal.diagnostics[0].help
            continue
        told += 1
        assert found.total - sum(found.ours) == sum(d.amount for d in found.differences), name
        assert all(d.factor * d.amount > 0 for d in found.differences)
        ours = {"parameters": analysis.parameters, "multiplies": analysis.multiplies}
        assert sum(found.ours) == ours.get(found.rule.unit, sum(found.ours))
    assert told > len(names) / 2


@pytest.mark.parametrize(
    ("size", "printed"),
    [("256x256x3", 4_171_206_196), ("200x160x3", 2_101_333_480), ("224x160x3", 2_252_829_160)],
)
def test_windows_that_reach_beyond_the_map(size: str, printed: int) -> None:
    """What ptflops 0.7.5 printed for torchvision's swin_t: no projections of whole windows."""
    network = archcalc.load("swin_t", input=size)
    found = recount("ptflops", "flops", "swin_t", network.spec.source, network.analyze())
    assert found.total == printed


def test_worked_resnet50() -> None:
    """thop: 4 a value of batch norm, one behind every conv; H·W + 1 a channel of the pool at the end.

    Conv outputs: the first, then by stage; a stage's first 1x1 still sees the larger map, its shortcut
    is one more conv of the wide maps.
    """
    maps = 112**2 * 64 + 56**2 * (3 * 384 + 256)
    maps += 56**2 * 128 + 28**2 * (128 * 7 + 512 * 5)
    maps += 28**2 * 256 + 14**2 * (256 * 11 + 1024 * 7)
    maps += 14**2 * 512 + 7**2 * (512 * 5 + 2048 * 4)
    assert maps == 11_113_984
    found = counted("thop", "flops", "resnet50")
    assert [(d.factor, d.says, d.amount) for d in found.differences] == [
        (4, "output values of BatchNorm2d", 4 * maps),
        (1, "input values of AdaptiveAvgPool2d", 7 * 7 * 2048),
        (1, "output values of AdaptiveAvgPool2d", 2048),
    ]
    assert found.total == 4_089_184_256 + 44_455_936 + 102_400


def test_worked_vit() -> None:
    """torchinfo: a linear layer of 197 tokens counts once; attention not at all."""
    found = counted("torchinfo", "flops", "vit_b_16")
    left_out = {d.says: d.amount for d in found.differences if d.amount < 0}
    attention = 12 * (4 * 197 * 768 * 768 + 2 * 197 * 197 * 768)
    mlp = 12 * 2 * 768 * 3072
    assert left_out == {
        "products of MultiheadAttention": -attention,
        "products of Linear at all positions but the first": -196 * mlp,
    }


@pytest.mark.parametrize("library", CODE)
def test_code_is_about_layers_that_exist(library: str) -> None:
    """No entry is stale: each names a network, and each of its patterns a layer of one."""
    for key, entry in CODE[library].items():
        if key == "library":
            continue
        family = [e.name for e in catalog.bundled() if key in (e.name, e.spec.source.name[:-5])]
        assert family, key
        layers = [layer for name in family for layer in load(name).analyze().layers]
        paths, operators = {la.path for la in layers}, {la.node.operator.name for la in layers}
        for pattern in set(entry) - {"code", "parts"}:
            places = paths if "/" in pattern else operators
            assert any(fnmatchcase(p, pattern.removeprefix("./")) for p in places), (key, pattern)
        for pattern in entry.get("parts", {}):
            blocks = {"/".join(path.split("/")[: pattern.count("/") + 1]) for path in paths}
            assert any(fnmatchcase(block, pattern) for block in blocks), (key, pattern)


def modules_of(operator: str) -> set[str]:
    """What may run an operator in code that tools look at: what specs/code says, or what is usual."""
    return {modules._TORCH[operator]} if operator in modules._TORCH else set()


@pytest.mark.parametrize("tool", [t for t in TOOLS if TOOLS[t].library == "torchvision"])
def test_every_operator_is_told_by_every_table(tool: str) -> None:
    """A rule, a 0 that is written, or a reason to refuse: nothing counts 0 because it was forgotten."""
    known = {module for operator in TABLE for module in modules_of(operator)} | {"input"}
    for entry in (entry for key, entry in CODE["torchvision"].items() if key != "library"):
        named = [*entry.get("parts", {}).values()]
        named += [text for key, text in entry.items() if key not in ("code", "parts")]
        known |= {module.partition("(")[0] for module in named}
    known |= {"Flatten", modules.IDLE}
    for count in TOOLS[tool].counts.values():
        for rules in count.sums.values() if isinstance(count, ToolCount) else ():
            assert ANY in rules or known - set(TOOLS[tool].fails) <= set(rules)
            assert all(
                name in AMOUNTS or name == "stored" for r in rules.values() for _, name in summands(r)
            )


def test_an_operator_that_no_table_names_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial module in the place of relu: no tool counts it as nothing, and none counts without it."""
    monkeypatch.setitem(modules._TORCH, "relu", "EmbeddingBag")
    for tool, title in (
        ("thop", "macs"),
        ("fvcore", "flops"),
        ("ptflops", "macs"),
        ("torchinfo", "mult-adds"),
    ):
        with pytest.raises(UsageError, match=f"nobody has told how {tool} counts EmbeddingBag"):
            counted(tool, "flops", "vgg16")
        assert title not in printed_by(tool, "vgg16", *of("vgg16"))
    for tool in ("torchsummary", "torchinfo"):
        with pytest.raises(UsageError, match=f"nobody has told how {tool} counts EmbeddingBag"):
            counted(tool, "memory", "vgg16")


@pytest.mark.parametrize("norm", ["bn", "ln", "groupnorm 2", "instancenorm"])
def test_norms_with_half_of_their_numbers(norm: str, tmp_path: Path) -> None:
    """Torch's norms have both or none, but for a layer norm without shift; others are not told."""
    path = tmp_path / "net.toml"

    def counts(flags: str) -> Recount:
        path.write_text(f'input = "9x9x4"\nlayers = ["tokens | {norm} {flags}"]\n')
        network = archcalc.load(path)
        return recount("fvcore", "flops", network.name, network.spec.source, network.analyze())

    with pytest.raises(UsageError, match="that shifts and does not scale"):
        counts("noscale")
    with pytest.raises(UsageError, match="how it counts a norm without learned scale and shift"):
        counts("noscale noshift")
    if norm == "ln":
        assert counts("noshift").total == 5 * 9 * 9 * 4
    else:
        with pytest.raises(UsageError, match="that scales and does not shift"):
            counts("noshift")


def test_the_option_knows_every_tool() -> None:
    assert tuple(TOOLS) == CHOICES
    assert {name for tool in TOOLS.values() for name in tool.counts} == {"params", "flops", "memory"}
    assert [t.name for t in TOOLS.values() if isinstance(t.counts["flops"], NoCount)] == [
        "torchsummary",
        "keras",
    ]


def test_every_operator_has_a_module_or_is_refused() -> None:
    """An operator that nobody thought of is refused, not counted as nothing."""
    refused = {"rbf", "sumpool"}
    assert set(TABLE) == (set(modules._TORCH) | set(modules._UNTOLD) | refused) - {"input"}


def test_printed_by_tells_every_sum_and_its_terms() -> None:
    """What reconcile looks for: recorded values of vit_b_16, and thop's of a network of our own."""
    vit = load("vit_b_16")
    source, analysis = vit.spec.source, vit.analyze()
    for tool, title, quantity in (
        ("torchinfo", "mult-adds", "total_mult_adds"),
        ("fvcore", "flops", "FlopCountAnalysis.total()"),
        ("thop", "macs", "macs"),
    ):
        figure = printed_by(tool, "vit_b_16", source, analysis)[title]
        assert figure.kind == "multiplies"
        assert figure.value == int(float(PRINTED[tool, "vit_b_16"][quantity]))
        assert figure.value == sum(factor * amount for factor, _, amount in figure.terms)
    sizes = printed_by("torchinfo", "vit_b_16", source, analysis)
    assert sizes["Params size (MB)"].kind == "weight bytes"
    assert sizes["Estimated Total Size (MB)"].value == sum(
        int(PRINTED["torchinfo", "vit_b_16"][name])
        for name in ("total_input", "total_output_bytes", "total_param_bytes")
    )
    assert {"Total params", "Total params, bytes"} <= set(printed_by("keras", "vgg16", *of("vgg16")))
    assert "macs" not in printed_by("keras", "vgg16", *of("vgg16"))


def of(name: str) -> tuple[Source, Analysis]:
    network = load(name)
    return network.spec.source, network.analyze()


def test_printed_by_of_the_network_of_our_own() -> None:
    """unet: thop takes a transposed conv for a conv of its outputs; allconv: global pools count."""
    assert printed_by("thop", "unet", *of("unet"))["macs"].value == 54_534_340_608
    assert 2_018_653 in [
        f.value for t in TOOLS for f in printed_by(t, "allconv", *of("allconv")).values()
    ]

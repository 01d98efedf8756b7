"""Random command lines over every command and option: an answer or one error, in time."""

from __future__ import annotations

import random
from pathlib import Path

import click
from support.campaign import archcalc, besiege, sizes

from archcalc.cli import COMMANDS, commands

SPECS = ["lenet5", "inception", "resnet18", "squeezenet1_1", "mobilenet_v1_025", "own.toml"]
WRONG = ["vgg61", "ghost.toml", ".", "/", "-", "lenet5:x=1", "lenet5:classes", "own.toml:wide", "m.onnx"]
WORDS = """0 1 2 -1 10 0.5 1e9 nan 2,2 2,2,2,2 3x3 32x32x1 320 int8 float16 json csv md latex table best
    relu params multiplies max:params conv stage1 vary=1:3 classes=1:9 classes=1:99999999 61,706 1M"""
VALUES = [
    *WORDS.split(),
    "",
    " ",
    "=",
    "--",
    "9" * 30,
    "\x1b[31m",
    "\u202e",
    "\udc80",
    "{n}",
    "params < 3",
]
SLOW = {"--verify", "--identities", "--jobs", "--dask", "--time"}  # they have tests of their own
WANTED = {  # what a command needs beside a SPEC
    "sweep": ["--vary", "classes=1:9"],
    "compare": ["vgg11"],
    "diff": ["vgg11"],
    "reconcile": ["61,706"],
    "explain": ["conv"],
}
RIGHT = {  # what an option takes whose values are any text
    "--set": "n=3 n=2,2,2,2 classes=10 width=0.5 bottleneck=16 n=n",
    "--input": "32 64x48 224x224x3 32x32x1",
    "--sort": "layer parameters multiplies share memory alive output",
    "--vary": "n=1:4 classes=1:9 classes=1,5,9 n=2:8:2 input=32:64:8",
    "--where": "parameters<1M multiplies>=10^6 peak<10k",
    "--pareto": "params,multiplies params,max:n",
    "--by": "params max:params multiplies n",
    "--max-params": "1M 61706 10k",
    "--max-multiplies": "1G 61706",
    "--max-flops": "1G 2M",
    "--source": "keras tensorflow lecun",
    "--symbol": "n classes channels",
    "--mean": "0.5 0.1,0.2,0.3",
    "--std": "0.5 1,2,3",
    "--taps": "conv all relu",
    "-o": "out out.csv out/deep",
    "--points": "points.csv own.toml",
    "--git": "HEAD ghost",
}
TOPICS = {"operators": ["conv", "relu", "gap"], "help": ["language", "sweep", "audit", "json"]}
OWN = 'input = "8x8x{n}"\nlayers = ["conv {n} k3 half | relu", "flatten | linear 4"]\n[vars]\nn = 3\n'


def attack(chance: random.Random, number: int) -> str:
    Path("own.toml").write_text(OWN, encoding="utf-8")
    Path("points.csv").write_text("n\n1\n2\n", encoding="utf-8")
    name = chance.choice([name for name in COMMANDS if name != "edit"])  # which lasts
    words = [name, *_words(chance, name)]
    try:
        return ("fine", "a finding", "refused")[archcalc(*words).code]
    except BaseException as error:
        raise AssertionError(f"{words}: {type(error).__name__}: {error}") from error


def _words(chance: random.Random, name: str) -> list[str]:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    params = [p for p in command.params if p.opts[0].startswith("-") and not SLOW & {*p.opts}]
    right = TOPICS.get(name, SPECS)
    made = [chance.choice(right if chance.random() < 0.9 else WRONG)] if chance.random() < 0.97 else []
    if name in WANTED and chance.random() < 0.9:
        made += WANTED[name]
    for param in chance.sample(params, min(len(params), chance.choice((0, 1, 1, 2, 3)))):
        made += _option(chance, param)
    if chance.random() < 0.1:
        made += chance.choice((["--classes", "7"], ["--n", "2"], ["--ghost"], [chance.choice(VALUES)]))
    if chance.random() < 0.1:
        chance.shuffle(made)
    return made


def _option(chance: random.Random, param: click.Parameter) -> list[str]:
    """With a value of its kind, mostly."""
    option, type = chance.choice(param.opts), param.type
    if chance.random() < 0.15:
        return [option] if chance.random() < 0.5 else [f"{option}={chance.choice(VALUES)}"]
    if getattr(param, "is_flag", False):
        return [option]
    if isinstance(type, click.Choice):
        return [option, chance.choice([*map(str, type.choices), chance.choice(VALUES)])]
    if isinstance(type, click.types.IntRange | click.types.IntParamType):
        return [option, str(chance.choice((0, 1, 1, 2, 2, 3, 8, 10**6, 10**12)))]
    right = RIGHT[option].split() if option in RIGHT and chance.random() < 0.8 else VALUES
    return [option, chance.choice(right)]


@sizes(30, 5000)
def test_command_lines(count: int, tmp_path: Path) -> None:
    told = besiege(attack, count, tmp_path)
    assert min(told["fine"], told["refused"]) > count // 20, told

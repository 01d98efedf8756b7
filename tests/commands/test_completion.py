"""TAB: what click's protocol gets from a process, and what a real bash makes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("archcalc")


def process(folder: Path, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run([SCRIPT], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def offered(folder: Path, line: str) -> list[str]:
    """The words that bash is offered for the last one of a line."""
    words = line.split(" ")
    told = process(
        folder,
        _ARCHCALC_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(words),
        COMP_CWORD=str(len(words) - 1),
    )
    return [item.partition(",")[2] for item in told.splitlines() if item]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("archcalc para", ["params"]),
        ("archcalc show resnet1", ["resnet18", "resnet152", "resnet101"]),
        ("archcalc flops my", ["my-net.toml"]),
        ("archcalc show resnet50 --uni", ["--unit"]),
        ("archcalc show my-net.toml --wid", ["--width"]),
        ("archcalc show resnet50 --unit ", ["basic", "bottleneck"]),
        ("archcalc show resnet50 --bias ", ["true", "false"]),
        ("archcalc show resnet50 --unit basic vgg1", ["vgg11", "vgg13", "vgg16", "vgg19"]),
        ("archcalc show resnet50 --set uni", ["unit="]),
        ("archcalc show resnet50 --set unit=bo", ["unit=bottleneck"]),
        ("archcalc sweep resnet50 --vary wid", ["width="]),
        ("archcalc sweep resnet50 --vary inp", ["input="]),
        ("archcalc sweep my-net.toml --vary ", ["width=", "input="]),
        ("archcalc sweep resnet50 --vary unit=bo", ["unit=bottleneck"]),
        ("archcalc show resnet50:uni", ["resnet50:unit="]),
        ("archcalc show resnet50 : uni", ["unit="]),  # as bash splits it
        ("archcalc params vgg16 --format l", ["latex"]),
        ("archcalc draw resnet50 --expand stage3/bottleneck2", ["stage3/bottleneck2"]),
        ("archcalc draw no_such_network --expand st", []),
        ("archcalc draw vgg16 --theme d", ["dark"]),
        ("archcalc draw vgg16 --diff vgg19_", ["vgg19_bn"]),
        ("archcalc params vgg16 --so", ["--sort"]),
        ("archcalc operators dec", ["deconv"]),
        ("archcalc help cou", ["counting"]),
        ("archcalc nonsense x", []),
        ("archcalc show no_such_network --uni", []),
    ],
)
def test_offered(line: str, expected: list[str], tmp_path: Path) -> None:
    text = (
        'input = "8x8x1"\nlayers = ["conv {width}"]\n[vars]\nwidth = { default = 2, help = "of it" }\n'
    )
    (tmp_path / "my-net.toml").write_text(text)
    (tmp_path / "my-notes.txt").write_text("")
    found = offered(tmp_path, line)
    exact = [word for word in found if word in expected]
    assert sorted(exact) == sorted(expected)
    last = line.rpartition(" ")[2]
    assert all(word.startswith(last) for word in found)
    if not expected:
        assert found == []


def test_paths_are_the_shells(tmp_path: Path) -> None:
    told = process(
        tmp_path,
        _ARCHCALC_COMPLETE="bash_complete",
        COMP_WORDS="archcalc show some/fold",
        COMP_CWORD="2",
    )
    assert told.strip() == "file,some/fold"


def test_zsh_and_fish(tmp_path: Path) -> None:
    """zsh gets type, word and help on lines of their own; fish gets type, word and help in one."""
    words = {"COMP_WORDS": "archcalc show resnet50 --uni"}
    zsh = process(tmp_path, _ARCHCALC_COMPLETE="zsh_complete", COMP_CWORD="3", **words)
    assert zsh.splitlines()[:2] == ["plain", "--unit"]
    fish = process(tmp_path, _ARCHCALC_COMPLETE="fish_complete", COMP_CWORD="--uni", **words)
    assert fish.split() == ["plain,--unit"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_in_a_real_bash(tmp_path: Path) -> None:
    script = process(tmp_path, _ARCHCALC_COMPLETE="bash_source")
    lines = [
        "COMP_WORDS=(archcalc show resnet50 --unit b) COMP_CWORD=4",
        f"_archcalc_completion {SCRIPT}",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join([script, *lines])],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.stdout.split() == ["basic", "bottleneck"], done.stderr


def test_no_numpy_for_it(tmp_path: Path) -> None:
    """A numpy that cannot be imported is not missed."""
    for name in ("numpy", "numba", "rich"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    words = {"COMP_WORDS": "archcalc show resnet50 --uni", "COMP_CWORD": "3"}
    told = process(tmp_path, _ARCHCALC_COMPLETE="bash_complete", PYTHONPATH=str(tmp_path), **words)
    assert told.split() == ["plain,--unit"]

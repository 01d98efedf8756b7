"""The command of the live page: what it opens and refuses, and how it ends."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli import commands
from archcalc.errors import ArchError, UsageError

DATA = Path(__file__).parents[1] / "data"
SPEC = 'input = "8x8x3"\nlayers = "conv 4 k3"\n'


def start(folder: Path, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Return the process, in a folder, and the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "archcalc", "edit", *words, "--no-browser"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "no address"
    return process, process.stdout.readline().strip()


def asked(address: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the first part of an answer."""
    origin = address.rsplit("/", 2)[0]
    headers = {"Content-Type": "application/json", "Origin": origin}
    with urlopen(Request(address + what, json.dumps(body).encode(), headers)) as answer:
        found = json.loads(answer.readline())
    assert isinstance(found, dict)
    return found


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(SPEC)
    process, address = start(tmp_path, "net.toml")
    with urlopen(address) as page:
        assert page.status == 200
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (0, "ended\n")
    assert os.listdir(tmp_path) == ["net.toml"]
    assert (tmp_path / "net.toml").read_text() == SPEC
    with pytest.raises(OSError):
        urlopen(address)


def test_the_browser_is_opened_at_the_address(tmp_path: Path) -> None:
    """By what $BROWSER names: a program that notes what it is called with."""
    note, program = tmp_path / "note", tmp_path / "browser"
    program.write_text(f"#!/bin/sh\nprintf %s \"$1\" > '{note}.new' && mv '{note}.new' '{note}'\n")
    program.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "archcalc", "edit", "lenet5"],
        env={**os.environ, "BROWSER": f"{program} %s"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    end = time.monotonic() + 30
    while not note.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert note.read_text() == address
    assert address.startswith("http://127.0.0.1:")


def test_each_start_has_its_own_address(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        process, address = start(tmp_path)
        found.append(address.split("/")[3])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert found[0] != found[1] and min(map(len, found)) >= 32  # 24 bytes


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        (["vgg16", "resnet50"], "edit takes one SPEC", "`archcalc diff` compares two"),
        (["vgg16", "-o", "net.json"], "-o: `net.json` is no .toml file", "as in -o my-net.toml"),
        (
            ["vgg16", "-o", "own.toml"],
            "`own.toml` is there already",
            "`archcalc edit own.toml` edits it",
        ),
    ],
)
def test_refusals(
    words: list[str], message: str, help: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text(SPEC)
    with pytest.raises(UsageError) as caught:
        CliRunner().invoke(commands, ["edit", *words, "--no-browser"], catch_exceptions=False)
    (found,) = caught.value.diagnostics
    assert (found.message, found.help) == (message, help)


def test_a_model_of_others_is_opened_and_never_written(tmp_path: Path) -> None:
    model = tmp_path / "net.pt2"
    shutil.copy(DATA / "pt2/resnet18.pt2", model)
    before = model.read_bytes()
    process, address = start(tmp_path, "net.pt2")
    opened = asked(address, "opened", {})
    assert opened["file"] == "" and opened["name"] == "net.toml"
    totals = asked(address, "answer", {"text": opened["text"], "bare": True})
    assert totals["totals"]["parameters"] == str(archcalc.load_model(model).parameters)
    saved = asked(address, "save", {"text": opened["text"], "version": opened["version"]})
    assert saved["mistakes"][0]["message"] == "there is no file to save to"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert model.read_bytes() == before and os.listdir(tmp_path) == ["net.pt2"]


@pytest.mark.parametrize("text", ["", "layers = [", SPEC.replace("k3", "k9")])
def test_a_file_with_mistakes_is_opened(text: str, tmp_path: Path) -> None:
    """Ctrl-S saves it in the middle of a change; the page is where it is mended."""
    (tmp_path / "net.toml").write_text(text)
    process, address = start(tmp_path, "net.toml")
    opened = asked(address, "opened", {})
    told = asked(address, "answer", {"text": opened["text"], "bare": True})
    asked(address, "save", {"text": SPEC, "version": opened["version"]})
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert (opened["file"], opened["name"], opened["text"]) == ("net.toml", "net.toml", text)
    assert told["part"] == "mistakes"
    assert (tmp_path / "net.toml").read_text() == SPEC


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (["net.toml"], None),  # there is none
        (["net.toml"], b"\xff"),  # no text
        (["net.toml", "--n", "5"], b"layers = ["),  # where no setting is known
    ],
)
def test_what_is_no_text_is_refused(
    words: list[str], data: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if data is not None:
        (tmp_path / "net.toml").write_bytes(data)
    with pytest.raises(ArchError):
        CliRunner().invoke(commands, ["edit", *words, "--no-browser"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "file", "settings"),
    [
        (["net.toml"], "net.toml", {}),
        (["./net.toml:n=5"], "./net.toml", {"n": "5"}),
        (["net.toml", "--n", "5", "-o", "new.toml"], "new.toml", {"n": "5"}),
        (["vgg.toml"], "vgg.toml", {}),
        (["vgg"], "", {}),
        (["vgg16", "--classes", "10"], "", {"classes": "10"}),
        (["8x8x3 | conv 4"], "", {}),
        ([], "", {}),
    ],
)
def test_what_is_opened_is_what_can_be_saved(
    words: list[str], file: str, settings: dict[str, str], tmp_path: Path
) -> None:
    for name in ("net.toml", "vgg.toml"):
        (tmp_path / name).write_text(SPEC.replace("conv 4", "conv {n}") + "[vars]\nn = 4\n")
    process, address = start(tmp_path, *words)
    opened = asked(address, "opened", {})
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert (opened["file"], opened["settings"]) == (file, settings)

"""What the shell may do to a process: close its streams, fill its disk, leave its pipe, interrupt it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `archcalc` is this one; its exit code is that of the first command."""
    words = f"""archcalc() {{ '{sys.executable}' -m archcalc "$@"; }}; {line}; exit ${{PIPESTATUS[0]}}"""
    return subprocess.run(["bash", "-c", words], capture_output=True, text=True)


def test_alone_it_helps() -> None:
    """Whatever click does with a command line without words."""
    bare, asked = shell("archcalc"), shell("archcalc --help")
    assert bare.stdout == asked.stdout
    assert "Commands:\n  list " in bare.stdout
    assert (bare.stderr, bare.returncode) == ("", 0)


@pytest.mark.parametrize(
    "line",
    [
        "archcalc --help | true",
        "archcalc params --help | true",
        "archcalc show resnet152 --all --format json | head -c 1",
    ],
)
def test_a_reader_that_leaves_finds_nothing(line: str) -> None:
    """Exit code 1 would say that the verification failed."""
    result = shell(line)
    assert (result.stderr, result.returncode) == ("", 0)


@pytest.mark.parametrize("words", ["run lenet5 --verify --quick", "audit lenet5", "reconcile lenet5 1"])
def test_a_verdict_that_nobody_read_is_none(words: str) -> None:
    """128 + SIGPIPE, as the shell says it of programs that are killed by it."""
    result = shell(f"archcalc {words} | true")
    assert (result.stderr, result.returncode) == ("", 141)


def test_warnings_as_errors_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTHONUNBUFFERED makes standard output another file, and who forgets the first one is told."""
    plain = shell("archcalc params lenet5")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    assert (shell("archcalc params lenet5").stdout, plain.stderr) == (plain.stdout, "")
    assert shell("archcalc params lenet5").stderr == ""
    assert shell("archcalc run lenet5 --verify --quick").returncode == 0


@FULL
@pytest.mark.parametrize(
    "words", ["list", "--help", "cat vgg16", "run lenet5", "run lenet5 --verify --quick"]
)
def test_a_full_disk_is_one_error(words: str) -> None:
    result = shell(f"archcalc {words} > /dev/full")
    assert result.stderr == "error: cannot write the output: no space left on device\n"
    assert result.returncode == 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_half_a_text_is_no_success(
    unbuffered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file takes 1024 bytes; unbuffered, Python does not notice that the rest is lost."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    result = shell(f"ulimit -f 1; archcalc show vgg16 --format json > {tmp_path}/out")
    assert os.path.getsize(tmp_path / "out") == 1024
    assert result.stderr == "error: cannot write the output: file too large\n"
    assert result.returncode == 2


@FULL
def test_the_exit_code_survives_an_error_that_cannot_be_told() -> None:
    assert shell("archcalc params nothing 2> /dev/full").returncode == 2
    assert shell("archcalc params nothing 2>&1 > /dev/null | true").returncode == 2


@pytest.mark.parametrize("words", ["params lenet5", "run lenet5 --verify", "params nothing"])
def test_closed_standard_output_is_refused(words: str) -> None:
    result = shell(f"archcalc {words} >&-")
    assert result.stderr.startswith("error: standard output is closed\n")
    assert result.returncode == 2


def test_closed_standard_error_does_not_matter() -> None:
    assert shell("archcalc params lenet5 2>&-").stdout == shell("archcalc params lenet5").stdout
    assert shell("archcalc params nothing 2>&-").returncode == 2


def test_closed_standard_input_is_no_spec() -> None:
    result = shell("archcalc params - <&-")
    assert (result.stderr, result.returncode) == ("error: standard input is closed\n", 2)


@pytest.mark.skipif(sys.platform != "linux", reason="an address space can be limited")
@pytest.mark.parametrize(
    ("limit", "words", "library"),
    [
        (100_000, "run lenet5", "NumPy"),
        (100_000, "sweep vgg16 --vary width=1:64", "NumPy"),
        (300_000, "run lenet5 --verify", "Numba"),
    ],
)
def test_too_little_memory_is_one_error(limit: int, words: str, library: str) -> None:
    """OpenBLAS would end the process with words of its own, or none."""
    result = shell(f"ulimit -v {limit}; archcalc {words}")
    assert result.stderr.startswith(f"error: {library} takes ")
    assert result.stderr.count("\n") == 2
    assert (result.stdout, result.returncode) == ("", 2)


def test_the_closed_form_needs_little_memory() -> None:
    assert shell("ulimit -v 100000; archcalc memory resnet50").returncode == 0


def test_a_sweep_of_nothing() -> None:
    result = shell("archcalc sweep")
    assert result.stderr.startswith("error: which network? name a SPEC\n")
    assert (result.stdout, result.returncode) == ("", 2)


@pytest.mark.parametrize("module", ["click", "archcalc.errors", "archcalc.commands.params"])
def test_an_interrupt_may_come_early(module: str) -> None:
    """While the modules are still being imported."""
    code = f"""
import sys
class Interrupt:
    def find_spec(self, name, *others):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
sys.argv = ["archcalc", "params", "lenet5"]
from archcalc.__main__ import main
main()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stdout, result.stderr.strip(), result.returncode) == ("", "", 130)

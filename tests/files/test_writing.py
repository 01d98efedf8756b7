"""Files of outputs: whole or not at all, and never one that is read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archcalc.errors import UsageError
from archcalc.files.outputs import Keeper
from archcalc.files.writing import replacing, write_npz

NAMES = ["file", "allow_pickle", "stage1/conv", "3×3"]  # numpy.savez has arguments of the first two


def test_any_name(tmp_path: Path) -> None:
    path = str(tmp_path / "x.npz")
    write_npz(path, {name: np.full((2, 3), i, np.float32) for i, name in enumerate(NAMES)})
    with np.load(path, allow_pickle=False) as found:
        assert found.files == NAMES
        assert [found[name].tolist() for name in NAMES] == [[[i] * 3] * 2 for i in range(4)]


def test_an_earlier_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), replacing(str(path)) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"before"
    with replacing(str(path)) as file:
        file.write(b"whole")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["x.npz"]


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.argv[1:] = ["run", "lenet5", "--taps", "conv", "--save", sys.argv[1]]
from archcalc.__main__ import main
main()
"""


def test_a_full_disk_is_one_error(tmp_path: Path) -> None:
    """28·28·6 float32 are 18,816 bytes; two such layers are more than 20,000."""
    path = tmp_path / "x.npz"
    path.write_bytes(b"before")
    code = FULL.replace('"conv"', '"conv", "--taps", "relu"')
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: cannot write `{path}`: file too large\n"
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["x.npz"]


def refused(*arguments: object) -> str:
    with pytest.raises(UsageError) as caught:
        Keeper(*arguments)  # type: ignore[arg-type]
    return caught.value.diagnostics[0].message


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "dir.npz"
    folder.mkdir()
    assert refused([], str(folder), None) == f"cannot write `{folder}`: it is a directory"
    assert refused([], f"{folder}/no/x.npz", None) == (
        f"cannot write `{folder}/no/x.npz`: no such file or directory"
    )
    assert refused([], "a\0b/x.npz", None) == "cannot write `a\\x00b/x.npz`: embedded null byte"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc")
def test_a_file_system_that_takes_no_files() -> None:
    assert refused([], "/proc/x.npz", None) == "cannot write `/proc/x.npz`: no such file or directory"


def test_what_is_read_is_not_overwritten(tmp_path: Path) -> None:
    weights, other = tmp_path / "w.npz", tmp_path / "link.npz"
    weights.touch()
    other.symlink_to(weights)
    for path in (weights, other, tmp_path / "." / "w.npz"):
        message = refused([], str(path), None, [str(weights)])
        assert message == f"`{path}` would be overwritten, and is read"
    image = tmp_path / "stage1-conv.png"
    image.touch()
    message = refused(["stage1/conv"], None, str(tmp_path), [str(image)])
    assert message == f"`{image}` would be overwritten, and is read"
    Keeper([], str(tmp_path / "free.npz"), None, [str(weights)])

"""Both installs find the networks: the wheel its own copy, the editable one the checkout's folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = 'title = "New"\ninput = "8x8x1"\nlayers = "conv 2 k3"\n'  # 2·9 weights and 2 biases

pytestmark = pytest.mark.install


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    result = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the project is built from."""
    copy = tmp_path / "checkout"
    for name in ("archcalc", "specs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def pip(*arguments: str | Path, cwd: Path, python: Path | str = sys.executable) -> None:
    run(python, "-m", "pip", *arguments, "--quiet", "--no-deps", "--no-build-isolation", cwd=cwd)


def test_wheel_carries_the_networks(checkout: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    pip("install", "--target", installed, checkout, cwd=tmp_path)
    (checkout / "specs" / "new.toml").write_text(SPEC)
    shutil.rmtree(checkout / "archcalc")
    parts = ("codemirror.js", "LICENSE", "codemirror.json")
    assert all((installed / "archcalc/live/vendor" / part).is_file() for part in parts)
    output = run(
        sys.executable,
        "-m",
        "archcalc",
        "list",
        "--format",
        "csv",
        cwd=tmp_path,
        PYTHONPATH=str(installed),
    )
    names = {line.partition(",")[0] for line in output.splitlines()[1:]}
    assert "vgg16" in names
    assert "new" not in names
    assert (installed / "archcalc" / "specs" / "vgg.toml").is_file()
    assert (installed / "archcalc" / "py.typed").is_file()


def test_editable_reads_the_checkout(checkout: Path, tmp_path: Path) -> None:
    """A spec that is added after the install is there at once: nothing is a stale copy."""
    place = tmp_path / "venv"
    venv.create(place, system_site_packages=False, with_pip=False)
    paths = [p for p in sys.path if p.endswith("site-packages")]
    python = place / "bin" / "python"
    site = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    )
    wheels = tmp_path / "wheels"
    build = "from hatchling.build import build_editable as b; import sys; b(sys.argv[1])"
    wheels.mkdir()
    run(sys.executable, "-c", build, wheels, cwd=checkout)
    (wheel,) = wheels.glob("*.whl")
    pip("install", "--target", site, wheel, cwd=tmp_path)
    (site / "others.pth").write_text("\n".join(paths))
    (checkout / "specs" / "new.toml").write_text(SPEC)
    output = run(python, "-m", "archcalc", "params", "new", "--format", "csv", cwd=tmp_path)
    assert output.splitlines()[1].split(",")[6] == "20"
    where = run(python, "-c", "import archcalc; print(archcalc.__file__)", cwd=tmp_path)
    assert where.strip() == str(checkout / "archcalc" / "__init__.py")

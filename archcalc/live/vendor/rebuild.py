"""Make codemirror.js again, or of other versions: python rebuild.py [--update]

Needs node and npm, and the registry that npm is set up for. Packages must have the versions and hashes
of codemirror.json, and codemirror.js its hash; --update takes the newest and writes all of them down.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PINS, MADE = HERE / "codemirror.json", HERE / "codemirror.js"
FLAGS = ("--bundle", "--minify", "--format=iife", "--global-name=CM", "--target=es2022")


def main(update: bool) -> None:
    """Install, check, bundle, check."""
    pins = json.loads(PINS.read_text())
    with tempfile.TemporaryDirectory() as folder:
        packages = pins["packages"].items()
        wanted = {name: "latest" if update else version for name, (version, _) in packages}
        (Path(folder) / "package.json").write_text(json.dumps({"dependencies": wanted}))
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit"], cwd=folder, check=True)
        found = _installed(json.loads((Path(folder) / "package-lock.json").read_text()))
        assert update or found == pins["packages"], "other packages than those of codemirror.json"
        (Path(folder) / "entry.js").write_text((HERE / "entry.js").read_text())
        program = Path(folder) / "node_modules/esbuild/bin/esbuild"
        line = [str(program), "entry.js", *FLAGS, "--legal-comments=none", "--outfile=made.js"]
        subprocess.run(line, cwd=folder, check=True)
        made = (Path(folder) / "made.js").read_bytes()
    digest = hashlib.sha256(made).hexdigest()
    assert update or digest == pins["sha256"], f"another codemirror.js: {digest}"
    MADE.write_bytes(made)
    told = {"license": pins["license"], "sha256": digest, "packages": found}
    PINS.write_text(json.dumps(told, indent=1) + "\n")
    print(f"{MADE.name}: {len(made):,} bytes, sha256 {digest}")


def _installed(lock: dict[str, dict[str, dict[str, str]]]) -> dict[str, list[str]]:
    """Return versions and hashes; those of the bundler's programs for other machines are left out."""
    return {
        place.removeprefix("node_modules/"): [package["version"], package["integrity"]]
        for place, package in lock["packages"].items()
        if place and "/@esbuild/" not in place
    }


if __name__ == "__main__":
    main("--update" in sys.argv[1:])

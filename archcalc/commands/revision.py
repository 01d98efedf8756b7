"""Load a spec file from another git revision."""

from __future__ import annotations

import os
import subprocess

from archcalc.api import Network
from archcalc.errors import Diagnostic, UsageError
from archcalc.spec.catalog import Entry
from archcalc.spec.read import read
from archcalc.spec.source import decode
from archcalc.units import printable


def at_revision(network: Network, revision: str) -> Network:
    """Return the same file, variant and settings at a revision.

    Raises:
        ArchError: there is no such file, git, repository or revision, or the file is not in it.
    """
    path, shown = network.spec.source.name, printable(revision)
    if not os.path.isfile(path):
        help = "`archcalc diff --git main my-net.toml`"
        raise UsageError(
            Diagnostic(f"`--git` needs a spec file: {printable(network.name)} is none", help=help)
        )
    if not revision or revision.startswith("-"):
        help = "a branch, tag or commit, as in `--git main`"
        raise UsageError(Diagnostic(f"`{shown}` is no git revision", help=help))
    source = decode(f"{path}@{revision}", _content(path, revision))
    spec = read(source)
    if network.variant is not None and network.variant not in spec.variants:
        help = "compare with a later revision"
        message = f"at `{shown}`, `{printable(path)}` has no variant `{printable(network.variant)}`"
        raise UsageError(Diagnostic(message, help=help))
    changed = dict(network.changed)
    size = str(changed.pop("input")) if network.input is not None else None
    return Network(Entry(f"{network.name}@{revision}", spec, network.variant), changed, size)


def _content(path: str, revision: str) -> bytes:
    folder, name = os.path.split(os.path.abspath(path))
    shown, file = printable(revision), printable(path)
    if _git(folder, "rev-parse", "--git-dir") is None:
        help = "compare two files: `archcalc diff before.toml after.toml`"
        raise UsageError(Diagnostic(f"`{file}` is in no git repository", help=help))
    if _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        help = "`git log` and `git branch` show what there is"
        raise UsageError(Diagnostic(f"the repository has no revision `{shown}`", help=help))
    content = _git(folder, "show", "--no-textconv", f"{revision}:./{name}")
    if content is None:
        help = f"`git log -- {file}` shows the revisions that changed it"
        raise UsageError(Diagnostic(f"`{file}` is not in revision `{shown}`", help=help))
    return content


def _git(folder: str, *words: str) -> bytes | None:
    """Return git's output; None if git refuses."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        help = "install git, or compare two files"
        raise UsageError(Diagnostic("`--git` needs git, which is not installed", help=help)) from None
    except ValueError:  # a null byte
        return None
    return done.stdout if done.returncode == 0 else None

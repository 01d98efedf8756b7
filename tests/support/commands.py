"""The command line as a user has it, in this process: standard output, standard error, exit code.

A process of its own takes 100 ms or more; it is for tests of what only a process has.
"""

from __future__ import annotations

import os
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from archcalc import cli


def archcalc(folder: Path, *words: str) -> CompletedProcess[str]:
    """Run `archcalc` in a folder as if it were a process, 80 columns wide."""
    out, err = StringIO(), StringIO()
    with (
        chdir(folder),
        patch.object(sys, "argv", ["archcalc", *words]),
        patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli._run()
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())

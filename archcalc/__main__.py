"""`archcalc` and `python -m archcalc`: ready for an interrupt before anything is imported."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.disable()  # nothing that is imported is garbage: a command that lasts collects it again
    try:
        from archcalc.cli import run

        code = run()
    except KeyboardInterrupt:
        code = 130
    gc.freeze()  # what is left goes with the process: Python need not look it through for cycles
    sys.exit(code)


if __name__ == "__main__":
    main()

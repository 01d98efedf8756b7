"""Which process runs which files of tests, and in which order.

Files that build the same things stay together, and what takes long comes first: the last file to begin
should be a short one, or the other processes wait for it.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

TOGETHER = {
    "tests/audit/test_reconcile.py": "searches",
    "tests/audit/test_saved.py": "searches",
    "tests/audit/test_ratios.py": "searches",
    "tests/audit/test_quoted.py": "searches",
    "tests/audit/test_verdicts.py": "verdicts",
    "tests/commands/test_audit.py": "verdicts",
}
LONG = (  # ten seconds and more, as measured
    "searches",
    "tests/commands/test_run_verify.py",
    "tests/house/test_readme.py",
    "tests/execution/test_loops.py",
    "verdicts",
    "tests/sweeps/test_families.py",
    "tests/execution/test_perturbation.py",
    "tests/operators/test_on_symbols.py",
    "tests/sweeps/test_repeats.py",
    "tests/execution/test_forward.py",
    "tests/audit/test_tools.py",
    "tests/errors/test_hostile.py",
    "tests/files/test_tensors.py",
    "tests/analysis/test_memory.py",
    "tests/execution/test_kernel_cache.py",
    "tests/commands/test_settings.py",
)


def place(nodeid: str) -> str:
    """Return what a test is kept together with: its file, mostly."""
    file = nodeid.split("::", 1)[0]
    return TOGETHER.get(file, file)


def rank(nodeid: str) -> int:
    """Return a number by which tests are ordered."""
    found = place(nodeid)
    return LONG.index(found) if found in LONG else len(LONG)


class Together(LoadFileScheduling):
    """Like `--dist loadfile`, with files that share what they build as one."""

    def _split_scope(self, nodeid: str) -> str:
        return place(nodeid)

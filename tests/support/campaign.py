"""What every attack needs: mutants from a seed, and processes that may not hang, grow or die.

`ATTACK_SEED=7 pytest -m attack` repeats the campaign with other mutants; a failure prints the mutant.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from archcalc import cli

SEED = int(os.environ.get("ATTACK_SEED", "1"))
SECONDS = 5.0  # of processor time for one mutant
MEMORY = 500 * 10**6  # bytes, by which a process that tries many may grow


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Attack = Callable[[random.Random, int], str]
"""Tries one mutant; says what came of it in a word, or raises AssertionError."""


def sizes(small: int, full: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same test as a share of the campaign, and as the campaign."""
    counts = [small, pytest.param(full, marks=pytest.mark.attack)]
    return pytest.mark.parametrize("count", counts, ids=["share", "campaign"])


def besiege(attack: Attack, count: int, folder: Path) -> Counter[str]:
    """Try `count` mutants in a process for each core; how often each outcome came about.

    Raises:
        AssertionError: with the mutant's number, where one ended otherwise than it may.
    """
    cores = len(os.sched_getaffinity(0)) if count > 1000 else 1
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    jobs = [
        context.Process(target=_try_all, args=(attack, range(first, count, cores), folder, queue))
        for first in range(cores)
    ]
    for job in jobs:
        job.start()
    told: Counter[str] = Counter()
    faults: list[str] = []
    for _ in jobs:
        outcomes, found = queue.get()
        told += outcomes
        faults += found
    for job in jobs:
        job.join()
    assert not faults, "\n\n".join(faults[:3])
    assert told.total() == count
    return told


def _try_all(attack: Attack, numbers: Sequence[int], folder: Path, queue: object) -> None:
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    place = folder / str(numbers[0])
    place.mkdir()
    os.chdir(place)
    signal.signal(signal.SIGALRM, _too_long)
    before = _resident()
    for number in numbers:
        start = time.process_time()
        signal.alarm(60)  # of time that passes: another process may use the core, too
        try:
            outcomes[attack(random.Random(f"{SEED}/{number}"), number)] += 1
            spent = time.process_time() - start
            assert spent < SECONDS, f"{spent:.1f} s"
        except BaseException as error:
            faults.append(f"mutant {number} of seed {SEED}: {type(error).__name__}: {error}")
            outcomes["fault"] += 1
        signal.alarm(0)
        if len(faults) >= 3:
            break
    grown = _resident() - before
    if grown > MEMORY:
        faults.append(f"{grown / 1e6:.0f} MB more resident")
    queue.put((outcomes, faults))  # type: ignore[attr-defined]


def _resident() -> int:
    """Bytes at most so far; a new process begins with those of its parent."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _too_long(*_: object) -> None:
    raise TimeoutError("a minute is over")


def archcalc(*words: str, stdin: bytes = b"") -> Ended:
    """The command line in this process.

    Raises:
        AssertionError: a stream or exit code that is not as documented.
    """
    out, err = StringIO(), StringIO()
    with (
        patch.object(sys, "argv", ["archcalc", *words]),
        patch.object(sys, "stdin", TextIOWrapper(BytesIO(stdin))),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli._run()
    ended = Ended(code, out.getvalue(), err.getvalue())
    check(ended)
    return ended


def check(ended: Ended) -> None:
    """Exit code and streams as documented; nothing that a terminal would obey."""
    code, out, err = ended
    assert code in (0, 1, 2), f"exit code {code}"
    for line in (out + err).replace("\r\x1b[K", "").split("\n"):
        assert line.isprintable(), repr(line[:200])
    assert "Traceback" not in err, err[-500:]
    if code == 2:
        assert "error: " in err, err[:200]
    else:
        assert "error: " not in err and out, err[:200]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Some bits, bytes or stretches changed, gone, doubled or moved."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if not made:
            return b""
        at = min(int(len(made) * chance.random() ** chance.choice((1, 1, 4))), len(made) - 1)
        size = chance.choice((1, 1, 2, 4, 8, 64, 1024))
        match chance.randrange(8):
            case 0 | 1:
                made[at] ^= 1 << chance.randrange(8)
            case 2:
                made[at : at + size] = chance.randbytes(size)
            case 3:
                made[at : at + size] = b"\xff" * size
            case 4:
                del made[at : at + size]
            case 5:
                made[at:at] = made[at : at + size]
            case 6:
                del made[at:]
            case 7:
                made[at : at + size] = chance.choice((b"\0", b"9", b"-", b"[", b'"', b"\n")) * size
    return bytes(made)

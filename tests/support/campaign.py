"""What every attack needs: mutants from a seed, and processes that may not hang, grow or die.

`ATTACK_SEED=7 pytest -m attack` repeats the campaign with other mutants; a failure prints the mutant.

A command may take 5 s of processor time and 500 MB of memory: processor time, since other programs may
use the cores, too. That is for networks of up to 50,000 layers, and 100,000 for the memory. The language
allows a million, each of which has to be counted and may have to be printed, and a mutated number of
repeats does make networks of hundreds of thousands that nothing is wrong with. Such a one may take as
much a layer: 100 µs and 5 kB.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from itertools import pairwise
from multiprocessing import Queue
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from archcalc import cli

SEED = int(os.environ.get("ATTACK_SEED", "1"))
LAYERS = 50_000  # of a network for which the bounds are as they stand here
HOPELESS = (
    400  # seconds of processor time after which a mutant is given up: a million layers, four times
)
WAITING = 1800  # seconds that pass, for one that waits and uses none


class Bounds(NamedTuple):
    """What one command may take, and by how much a process may grow that tries many."""

    seconds: float = 5.0
    memory: int = 500 * 10**6


BOUNDS = Bounds()


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Endless(BaseException):
    """A mutant is given up. No kind of error that the command line would answer."""


class Figures(NamedTuple):
    """What a share of the mutants came to: how often each outcome, and the most that was taken."""

    outcomes: Counter[str]
    faults: list[str]
    slowest: tuple[float, int]  # seconds of a command, and its mutant
    memory: int


class _Mutant:
    """The one that is being tried in this process."""

    seconds = 0.0  # of its slowest command
    share = 1.0  # of the bounds: more for a network of very many layers


Attack = Callable[[random.Random, int], str]
"""Tries one mutant; says what came of it in a word, or raises AssertionError."""


def sizes(small: int, full: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark the same test as a share of the campaign, and as the campaign."""
    counts = [small, pytest.param(full, marks=pytest.mark.attack)]
    return pytest.mark.parametrize("count", counts, ids=["share", "campaign"])


def besiege(attack: Attack, count: int, folder: Path, bounds: Bounds = BOUNDS) -> Counter[str]:
    """Try `count` mutants in a process for each core; return how often each outcome came about.

    Raises:
        AssertionError: with the mutant's number, where one ended otherwise than it may.
    """
    cores = len(os.sched_getaffinity(0)) if count > 1000 else 1
    context = multiprocessing.get_context("fork")
    queue: Queue[Figures] = context.Queue()
    shares = [range(first, count, cores) for first in range(cores)]
    jobs = [context.Process(target=_try_all, args=(attack, s, folder, bounds, queue)) for s in shares]
    began = time.monotonic()
    for job in jobs:
        job.start()
    found = [queue.get() for _ in jobs]
    for job in jobs:
        job.join()
    faults = [fault for figures in found for fault in figures.faults]
    assert not faults, "\n\n".join(faults[:3])
    told = sum((figures.outcomes for figures in found), Counter[str]())
    assert told.total() == count
    _print(told, found, time.monotonic() - began)
    return told


def _print(told: Counter[str], found: Sequence[Figures], seconds: float) -> None:
    """Print the figures of a campaign, which pytest shows under `-s`."""
    slowest, number = max(figures.slowest for figures in found)
    memory = max(figures.memory for figures in found)
    print(f"\n{told.total():,} mutants of seed {SEED} in {seconds:.0f} s: {dict(told)}")
    print(f"slowest command {slowest:.2f} s (mutant {number}), {memory / 1e6:.0f} MB more resident")


def _try_all(
    attack: Attack, numbers: Sequence[int], folder: Path, bounds: Bounds, queue: Queue[Figures]
) -> None:
    place = folder / str(numbers[0])
    place.mkdir()
    os.chdir(place)
    for late in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(late, _too_long)
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    slowest, before, share = (0.0, 0), _resident(), 1.0
    for number in numbers:
        _Mutant.seconds, _Mutant.share = 0.0, 1.0
        try:
            with _watched():
                outcome = attack(random.Random(f"{SEED}/{number}"), number)
            taken, share = _Mutant.seconds, max(share, _Mutant.share)
            assert taken < bounds.seconds * _Mutant.share, f"a command took {taken:.1f} s"
            grown = _resident() - before
            assert grown < bounds.memory * max(share / 2, 1), f"{grown / 1e6:.0f} MB more resident"
            outcomes[outcome] += 1
        except BaseException as error:
            faults.append(f"mutant {number} of seed {SEED}: {type(error).__name__}: {error}")
        slowest = max(slowest, (_Mutant.seconds, number))
        if len(faults) >= 3:
            break
    queue.put(Figures(outcomes, faults, slowest, _resident() - before))


@contextmanager
def _watched() -> Iterator[None]:
    """Give up what does not end, whether it computes or waits."""
    signal.setitimer(signal.ITIMER_PROF, HOPELESS)
    signal.alarm(WAITING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


def _resident() -> int:
    """Return the bytes at most so far; a new process begins with those of its parent."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _too_long(number: int, _: object) -> None:
    raise Endless(signal.Signals(number).name)


def allow(layers: int) -> None:
    """Set the bounds of a network of so many layers."""
    _Mutant.share = max(layers / LAYERS, 1.0)


@contextmanager
def timed() -> Iterator[None]:
    """Measure processor time of a command, or of what else may not take longer."""
    began = time.process_time()
    try:
        yield
    finally:
        _Mutant.seconds = max(_Mutant.seconds, time.process_time() - began)


def archcalc(*words: str, stdin: bytes = b"") -> Ended:
    """Run the command line in this process.

    Raises:
        AssertionError: a stream or exit code that is not as documented.
    """
    out, err = StringIO(), StringIO()
    with (
        patch.object(sys, "argv", ["archcalc", *words]),
        patch.object(sys, "stdin", TextIOWrapper(BytesIO(stdin))),
        redirect_stdout(out),
        redirect_stderr(err),
        timed(),
    ):
        code = cli._run()
    ended = Ended(code, out.getvalue(), err.getvalue())
    check(ended, words)
    return ended


def check(ended: Ended, words: Sequence[str]) -> None:
    """Check exit code and streams as documented; nothing that a terminal would obey."""
    code, out, err = ended
    finds = words[0] in cli.VERDICTS or "--allow-unknown" in words
    assert code in (0, 2) or (code == 1 and finds), f"exit code {code}"
    for line in (out + err).replace("\r\x1b[K", "").split("\n"):
        assert line.isprintable(), repr(line[:200])
    assert "Traceback" not in err, err[-500:]
    if code == 2:
        assert err.startswith(("error: ", "note: ")) and "error: " in err, err[:200]
        assert not out, f"beside an error: {out[:200]}"
    else:
        assert "error: " not in err and out, err[:200]
        assert all(line.startswith(("note: ", "  ")) for line in err.splitlines()), err[:200]
        if ("--format", "json") in pairwise(words):
            json.loads(out)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Change, take away, double or move some bits, bytes or stretches."""
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

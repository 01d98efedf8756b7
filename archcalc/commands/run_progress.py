"""Show the progress of a long verification on standard error: a moving line, or a line per network."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archcalc.reports.proofs import Verified

OVERHEAD = 10**9  # multiplies that take as long as a network's fixed costs


class VerifyProgress:
    """The progress of the networks that `expected` lists with their multiplies.

    On a terminal the line moves; elsewhere there is one line per network if they are `many`.
    """

    def __init__(self, expected: Sequence[dict[str, Any]], many: bool) -> None:
        self._work = {row["name"]: row["multiplies"] + OVERHEAD for row in expected}
        self._began, self._count, self._spent = monotonic(), 0, 0
        self._moves = sys.stderr.isatty() and len(expected) > 1
        self._tells = many and not self._moves

    def over(self, networks: Iterable[Verified]) -> Iterator[Verified]:
        """Yield the same networks; hide the line while the caller writes."""
        try:
            self._move(self._far())
            for done in networks:
                self._move("")
                yield done
                self._count += 1
                self._spent += self._work[done.name]
                self._move(self._far())
                self._tell(done)
        finally:
            self._move("")

    def _far(self) -> str:
        """Return '12 of 150 · about 2:10 left'."""
        far = f"{self._count} of {len(self._work)}"
        if not self._spent or self._count == len(self._work):
            return far
        rate = (monotonic() - self._began) / self._spent
        left = round(rate * max(sum(self._work.values()) - self._spent, 0))
        return f"{far} · about {left // 60}:{left % 60:02} left"

    def _move(self, text: str) -> None:
        if self._moves:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def _tell(self, done: Verified) -> None:
        if self._tells:
            proof = done.proof
            print(
                f"{done.name}: {proof.verdict}, {proof.seconds:.1f} s · {self._far()}", file=sys.stderr
            )

"""Show the progress of a sweep on standard error: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from archcalc.units import grouped

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 0.5  # seconds until a bar appears: most sweeps are over by then
OFTEN, SELDOM = 0.1, 10.0  # seconds between two looks at a bar, between two lines


class SweepProgress:
    """Counts points; the bar goes at the end, lines stay."""

    def __init__(self, whole: int, found: int = 0) -> None:
        """`found` points were done before, and say nothing about the rate."""
        self.whole, self.done, self.found = whole, 0, found
        self.begin = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.next = self.begin + (PATIENCE if self.terminal else SELDOM)
        self._bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar[0].stop()
            self._bar = None

    def note(self, text: str) -> None:
        """Tell what a user should know now; it stays above the bar."""
        if self._bar is None:
            click.echo(f"note: {text}", err=True)
        else:
            self._bar[0].console.print(f"note: {text}", markup=False, highlight=False, soft_wrap=True)

    def __call__(self, points: int) -> None:
        """Count points that are done."""
        self.done += points
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + (OFTEN if self.terminal else SELDOM)
        fresh = max(self.done - self.found, 0)
        rate = f"{grouped(int(fresh / (now - self.begin)))} a second"
        if not self.terminal:
            share = f"{self.done / self.whole:.1%} of {grouped(self.whole)} points"
            click.echo(f"{share} · {rate}", err=True)
            return
        self._bar = self._bar or self._started()
        progress, task = self._bar
        progress.update(task, completed=self.done, rate=rate)
        progress.refresh()

    def _started(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        progress = Progress(
            TextColumn("{task.percentage:.1f} % of {task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        progress.start()
        return progress, progress.add_task(f"{grouped(self.whole)} points", total=self.whole, rate="")

"""Show the progress of a sweep on standard error."""

from __future__ import annotations

import sys
import time

import click

from archcalc.units import grouped

CLEAR = "\r\x1b[K"  # the line so far


class SweepProgress:
    """Show the progress on standard error if that is a terminal; clear the line at the end."""

    def __init__(self, whole: int) -> None:
        self.whole, self.done = whole, 0
        self.begin = self.told = time.monotonic()
        self.shown = sys.stderr.isatty()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self.shown and self.told > self.begin:
            click.echo(CLEAR, nl=False, err=True)

    def note(self, text: str) -> None:
        click.echo(f"{CLEAR if self.shown else ''}note: {text}", err=True)

    def __call__(self, points: int) -> None:
        self.done += points
        now = time.monotonic()
        if not self.shown or now - self.told < 0.5:
            return
        self.told = now
        rate = self.done / (now - self.begin)
        left = int((self.whole - self.done) / rate)
        share = f"{self.done / self.whole:.1%} of {grouped(self.whole)} points"
        told = f"{share} · {grouped(int(rate))} a second"
        click.echo(f"{CLEAR}{told} · {_duration(left)} left", nl=False, err=True)


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds // 3600
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
    return f"{grouped(hours // 24)} days"

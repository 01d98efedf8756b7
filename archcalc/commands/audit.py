"""archcalc audit: the published numbers, recomputed: which hold, and what the others really are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import click

from archcalc.api import find, load
from archcalc.audit.published import Published, families, numbers
from archcalc.audit.verdicts import Networks, judge
from archcalc.commands.options import FORMAT, complete_words, show
from archcalc.commands.words import model_of
from archcalc.errors import Diagnostic, UsageError
from archcalc.reports.audit import reports
from archcalc.units import printable


@click.command("audit")
@click.argument("specs", nargs=-1, metavar="[SPEC]...", shell_complete=complete_words)
@click.option("--all", "all_", is_flag=True, help="Every number, not only the findings.")
@click.option("--source", metavar="TEXT", help="Only numbers of sources whose name holds TEXT.")
@FORMAT
def command(specs: tuple[str, ...], all_: bool, source: str | None, format: str) -> None:
    """Recompute what papers, course notes and tools have printed about the bundled networks.

    Without SPEC and --source: how many numbers of each source hold, then those that are wrong
    or that nobody can explain. With SPECs: every number of these networks, or of a family (vgg).

    \b
    Example: archcalc audit googlenet
             archcalc audit vgg16 --source keras

    \b
    exact        the printed number is the computed one, to the last digit
    rounded      the computed number rounds, or truncates, to the printed digits
    convention   it is what its source counts: biases too, conv layers only, MiB …
    variant      it belongs to another variant of the network, which is named
    wrong        it disagrees, and a computed derivation tells how it came about
    unexplained  it disagrees, and nothing that we compute comes out so (“open” in
                 the summary)
    computed     what archcalc counts under the number's own name

    Accuracies, times and other measurements cannot be computed and are not listed. What an entry
    of specs/published/ says about its number is a promise that has to be computed: exit code 1 if
    a number that should hold does not. A wrong number whose derivation comes out, one that its
    entry calls unexplained and one quoted from memory are findings of the literature, no failure.
    """
    chosen = [number for number in _chosen(specs) if _of_source(number, source)]
    if source and not chosen:
        help = "`archcalc audit` lists the sources"
        raise UsageError(
            Diagnostic(f"no source of these numbers is called `{printable(source)}`", help=help)
        )
    networks = Networks(load)
    verdicts = [judge(number, networks) for number in chosen]
    every = all_ or bool(specs) or bool(source) or format in ("csv", "json")
    whole = not specs and not source and format not in ("csv", "json")
    show("audit", reports(verdicts, every, whole, plain=format == "csv"), format)
    if any(verdict.fails for verdict in verdicts):
        click.get_current_context().exit(1)


def _chosen(specs: Iterable[str]) -> Iterator[Published]:
    """Yield the numbers of all families, or of the named ones; for a variant, those of its network.

    Each comes once, however often its name is given.
    """
    asked: set[tuple[str, int]] = set()
    if not specs:
        for family in families():
            yield from numbers(family)
    for name in specs:
        _refuse_model(name)
        entry, settings = find(name)
        if settings:
            help = f"`archcalc audit {printable(entry.name)}`; reconcile takes settings"
            raise UsageError(Diagnostic("audit takes networks without settings", help=help))
        file = os.path.basename(entry.spec.source.name)
        for place, number in enumerate(numbers(file)):
            meant = f"{entry.name}.toml" == file or number.network.split(":")[0] == entry.name
            if meant and (file, place) not in asked:
                asked.add((file, place))
                yield number


def _refuse_model(word: str) -> None:
    """Raise UsageError for a model file, of which nobody has printed a number."""
    if model_of(word):
        message = "audit recomputes what is printed about bundled networks"
        help = f"`archcalc reconcile {printable(word)} 25.6M` tells which count of it a number is"
        raise UsageError(Diagnostic(f"{message}, and {printable(word)} is a model file", help=help))


def _of_source(number: Published, text: str | None) -> bool:
    return not text or text.lower() in number.source.lower()

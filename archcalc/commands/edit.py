"""archcalc edit: a network on a live page."""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from typing import Any

import click

from archcalc import garbage
from archcalc.api import Network
from archcalc.commands.options import SpecCommand, look_over, spec_command
from archcalc.errors import ArchError, Diagnostic, UsageError
from archcalc.live.server import LiveServer
from archcalc.live.session import Beginning, Session
from archcalc.spec.inline import toml
from archcalc.spec.model import Source
from archcalc.spec.settings import show_value
from archcalc.spec.source import STDIN_NAME, read_file
from archcalc.units import printable

START = ("inception",)
SHORT = 0.0005  # seconds that one thread may keep others waiting: imports the page, computing a save


class EditCommand(SpecCommand):
    """A command that lasts, over a spec whose settings may be read by nothing yet."""

    lasting = True
    looked_over = False  # but when the page has what it needs

    def networks(self, ctx: click.Context, most: int | None) -> tuple[list[Any], list[str]]:
        """Return the networks of the words; a .toml file alone that is none yet is its text."""
        try:
            return super().networks(ctx, most)
        except ArchError:
            words = ctx.params["words"]
            if len(words) != 1 or not words[0].endswith(".toml") or not os.path.exists(words[0]):
                raise
            return [read_file(words[0])], []


@spec_command("edit", fallback=START, cls=EditCommand, usage="[SPEC]")
@click.option("-o", "--output", metavar="FILE", help="A new .toml file to save to.")
@click.option("--no-browser", is_flag=True, help="Print the address; open nothing.")
def command(networks: list[Network | Source], output: str | None, no_browser: bool) -> None:
    """Edit SPEC on a page in the browser that answers every key stroke with its cost.

    \b
    Example: archcalc edit inception
             archcalc edit my-net.toml
             archcalc edit resnet50 --se 16 -o my-resnet.toml
             archcalc edit my-model.pt2 -o my-model.toml

    The text and a control for each variable; the picture; totals beside those of SPEC as
    it was opened. Ctrl-S saves to the file that was opened, or to -o. The page is served
    to this machine alone, at an address with a secret in it; Ctrl-C ends it.

    \b
    31.7 %        of a total: more (▲) or less (▼) than what was opened
    multiplies    as in `archcalc flops`; parameters as in `archcalc params`
    weights       bytes of all parameters and statistics, as float32
    peak          most bytes of maps alive at once, as float32
    pixels seen   the receptive field of the last map

    More: archcalc help edit
    """
    if len(networks) > 1:
        raise UsageError(Diagnostic("edit takes one SPEC", help="`archcalc diff` compares two"))
    session = Session(_beginning(networks[0], output))
    session.read()
    with LiveServer(session) as server:
        sys.setswitchinterval(SHORT)
        click.echo(f"{server.address}\nCtrl-C ends it")
        threading.Thread(target=_warm, args=(session, networks), daemon=True).start()
        _serve(server, no_browser)


def _serve(server: LiveServer, no_browser: bool) -> None:
    """Serve until Ctrl-C, which is how it ends well."""
    if not no_browser:
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
    try:
        with garbage.paused():  # but for what the server collects between answers
            server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        click.echo("ended", err=True)


def _warm(session: Session, networks: list[Network | Source]) -> None:
    """Import and answer, while the browser starts, what its page will ask for."""
    import_module("archcalc.live.handler")
    from archcalc.live.page import page

    page("")
    from archcalc.live.asked import warm

    warm(session)
    look_over(networks, False)


def _beginning(network: Network | Source, output: str | None) -> Beginning:
    if isinstance(network, Source):  # its mistakes stand on the page
        own = network.name if output is None else _new(output)
        return Beginning(printable(os.path.basename(network.name)), network.text, "", {}, own)
    return _opened(network, output)


def _opened(network: Network, output: str | None) -> Beginning:
    """Return what the page begins with.

    Raises:
        UsageError: what shall be written is no new .toml file.
    """
    source = network.spec.source
    text = toml(source.text) if source.inline else source.text
    if source.modules:
        from archcalc.lowered import ModelNetwork

        assert isinstance(network, ModelNetwork)
        text = network.spec_text()
    settings = {name: show_value(value) for name, value in network.changed.items()}
    own = source.name if _is_file(source) else ""
    if output is not None:
        own = _new(output)
    return Beginning(printable(_name(network)), text, network.variant or "", settings, own)


def _name(network: Network) -> str:
    """Return what the network is called on the page: a variant, or a file by its last part."""
    source = network.spec.source
    if source.inline or source.name == STDIN_NAME:
        return "net.toml"
    stem, suffix = os.path.splitext(os.path.basename(source.name))
    return network.variant or f"{stem}.toml" if suffix else network.name


def _is_file(source: Source) -> bool:
    """Return whether a word names the file of this text: no bundled one, and no model of others."""
    words, name = click.get_current_context().params["words"], source.name
    if source.inline or not any(word == name or word.startswith(f"{name}:") for word in words):
        return False
    try:
        return read_file(name).text == source.text
    except ArchError:
        return False


def _new(place: str) -> str:
    if not place.endswith(".toml"):
        message = f"-o: `{printable(place)}` is no .toml file"
        raise UsageError(Diagnostic(message, help="as in -o my-net.toml"))
    if os.path.lexists(place):
        help = f"`archcalc edit {printable(place)}` edits it"
        raise UsageError(Diagnostic(f"`{printable(place)}` is there already", help=help))
    return place

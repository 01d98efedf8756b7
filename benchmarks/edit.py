"""The live page in a browser: ready after the command, and a key stroke to totals and to the picture.

    python benchmarks/edit.py [NETWORK]...

Needs a Chromium (or $ARCHCALC_BROWSER). A key stroke is a digit typed by the browser's own input
behind the height of the input, another height each time: nothing is answered twice. Times are from the
command, or the key's event, to the document that shows the answer, laid out. The browser runs already:
its own first page takes about 0.2 s longer.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.browser import Browser, program

# the most milliseconds to the new totals and to the picture
GOALS = {
    **dict.fromkeys(("inception", "resnet50", "googlenet", "vgg16", "unet", "resnet152"), (30, 50)),
    "efficientnet_b7": (50, 100),
}
READY = 300
STARTS, STROKES = 5, 21
# when the first answer is laid out, by the clock of `time.time`
WATCH = """
new MutationObserver((_, observer) => {
  if (!document.body?.dataset.answered) return;
  observer.disconnect();
  document.body.getBoundingClientRect();
  window.ready = performance.timeOrigin + performance.now();
}).observe(document, {subtree: true, attributes: true, attributeFilter: ["data-answered"]});
"""
# the page's own functions, with a clock
LISTEN = """
window.strokes = [];
addEventListener("keydown", event => { window.stroke = {key: event.timeStamp}; }, true);
const toldBefore = SHOWN.totals, drawnBefore = SHOWN.drawn;
SHOWN.totals = part => {
  toldBefore(part);
  if (window.stroke) window.stroke.totals = performance.now();
};
SHOWN.drawn = part => {
  drawnBefore(part);
  document.body.getBoundingClientRect();
  if (!window.stroke) return;
  window.strokes.push({...window.stroke, drawn: performance.now()});
  window.stroke = null;
};
"""
# where the input's height stands: the variant's own, else the file's
PLACE = r"""(() => {
  const own = RegExp(`^${state.variant || "-"} *= *\\{.*\\binput *= *.`, "m");
  const found = state.text.match(own) ?? state.text.match(/^input *= *./m);
  const start = found.index + found[0].length;
  return [start, start + state.text.slice(start).match(/^[0-9]+/)[0].length];
})()"""


def main(names: list[str]) -> None:
    """Print a line a network, in milliseconds."""
    browser = Browser(program() or sys.exit("no Chromium"))
    browser.size(1440, 900)
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    close(browser, start(browser, names[0])[0])
    print("median, most (ms)           ready                totals               picture")
    for name in names:
        ready = []
        for left in reversed(range(STARTS)):
            server, milliseconds = start(browser, name)
            ready.append(milliseconds)
            if left:
                close(browser, server)
        strokes = strike(browser)
        close(browser, server)
        parts = [[stroke[part] - stroke["key"] for stroke in strokes] for part in ("totals", "drawn")]
        columns = zip((ready, *parts), (READY, *GOALS.get(name, (30, 50))), strict=True)
        print(f"{name:16}", "".join(map(column, columns)), flush=True)
    browser.close()


def column(measured: tuple[list[float], int]) -> str:
    """Return the median and the most of some times, and what they should be."""
    times, goal = measured
    return f"{statistics.median(times):7.0f} {max(times):4.0f} (goal {goal:3})"


def start(browser: Browser, name: str) -> tuple[subprocess.Popen[str], float]:
    """Return the server, and milliseconds from its command to the picture."""
    begun = time.time()
    command = [sys.executable, "-m", "archcalc", "edit", name, "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    browser.open(server.stdout.readline().strip())
    wait(browser, "window.ready")
    return server, browser.js("ready") - 1000 * begun


def close(browser: Browser, server: subprocess.Popen[str]) -> None:
    """End a server whose text is not saved."""
    browser.js("state.saved = state.text")
    server.terminate()
    server.wait()


def strike(browser: Browser) -> list[dict[str, float]]:
    """Return the times of key strokes but the first."""
    browser.js(LISTEN)
    start, end = browser.js(PLACE)
    for number in range(STROKES):
        height = str(64 + 16 * number)  # a tenth of what the key makes of it; all networks take both
        change = f"{{from: {start}, to: {end}, insert: '{height}'}}"
        end = start + len(height)
        browser.js(
            f"editor.dispatch({{changes: {change}, selection: {{anchor: {end}}}}}); editor.focus()"
        )
        wait(browser, "document.body.dataset.answered === String(state.number)")
        browser.press("0", 48, "0")
        wait(browser, f"window.strokes.length === {number + 1}")
        end += 1
    strokes = browser.js("window.strokes")
    assert isinstance(strokes, list)
    return strokes[1:]


def wait(browser: Browser, condition: str) -> None:
    """Wait until the page says so."""
    end = time.monotonic() + 20
    while not browser.js(condition):
        assert time.monotonic() < end, browser.js("document.getElementById('mistakes').textContent")
        time.sleep(0.03)


if __name__ == "__main__":
    main(sys.argv[1:] or list(GOALS))

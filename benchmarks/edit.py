"""The live page in a browser: ready after the command, and a key stroke to totals and to the picture.

    python benchmarks/edit.py [NETWORK]...

Needs a Chromium (or $ARCHCALC_BROWSER). A key stroke is a digit typed by the browser's own input
behind the height of the input, and taken away again; times are from the key's event to the document
that shows the answer.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.browser import Browser, program

NETWORKS = ("inception", "resnet50", "googlenet", "vgg16", "unet", "resnet152", "efficientnet_b7")
STROKES = 21
LISTEN = """
window.strokes = [];
addEventListener("keydown", event => { window.stroke = {key: event.timeStamp}; }, true);
const toldBefore = SHOWN.totals, drawnBefore = SHOWN.picture;
SHOWN.totals = part => {
  toldBefore(part);
  if (window.stroke) window.stroke.totals = performance.now();
};
SHOWN.picture = part => {
  drawnBefore(part);
  document.body.getBoundingClientRect();
  if (!window.stroke) return;
  window.strokes.push({...window.stroke, done: performance.now()});
  window.stroke = null;
};
"""


def main(names: list[str]) -> None:
    """Print a line a network, in milliseconds."""
    browser = Browser(program() or sys.exit("no Chromium"))
    browser.size(1440, 900)
    print("network            ready   totals: median, most   picture: median, most   (ms)")
    for name in names:
        ready, strokes = measure(browser, name)
        columns = []
        for part in ("totals", "done"):
            times = sorted(stroke[part] - stroke["key"] for stroke in strokes)
            columns.append(f"{statistics.median(times):10.0f} {times[-1]:8.0f}    ")
        print(f"{name:16} {ready:7.0f} {'  '.join(columns)}")
    browser.close()


def measure(browser: Browser, name: str) -> tuple[float, list[dict[str, float]]]:
    """Return milliseconds from the command to the picture, and the times of key strokes."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "archcalc", "edit", name, "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    browser.open(server.stdout.readline().strip())
    while not browser.js("document.body.dataset.answered"):
        time.sleep(0.002)
    ready = 1000 * (time.perf_counter() - begun)
    browser.js(LISTEN)
    found = "state.text.match(/input *= *.[0-9]+/)"
    selection = f"{{anchor: {found}.index + {found}[0].length}}"
    browser.js(f"editor.focus(); editor.dispatch({{selection: {selection}}})")
    for number in range(STROKES):
        if number % 2:
            browser.press("Backspace", 8)
        else:
            browser.press("0", 48, "0")
        wait(browser, number + 1)
    strokes = browser.js("window.strokes")
    browser.js("state.saved = state.text")
    server.terminate()
    server.wait()
    return ready, strokes[1:]


def wait(browser: Browser, count: int) -> None:
    """Wait until so many answers have been drawn."""
    end = time.monotonic() + 20
    while browser.js("window.strokes.length") < count:
        assert time.monotonic() < end, browser.js("document.getElementById('mistakes').textContent")
        time.sleep(0.03)


if __name__ == "__main__":
    main(sys.argv[1:] or list(NETWORKS))

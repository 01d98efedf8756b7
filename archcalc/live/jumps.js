"use strict";
// From a box to its line of the text, and from a line to its box.
let placed = {key: "", places: []};

// First and last character of each layer's step, asked for once as long as nothing changes.
const placesNow = async () => {
  const key = JSON.stringify([state.text, state.variant, state.settings]);
  if (placed.key !== key) placed = {key, places: (await one("places", question())).places};
  return placed.places;
};

// The cursor goes to the line of a box; a click leaves the focus where it is.
const toLine = async (box, enter = false) => {
  const own = [...numbers(box.dataset.layers)];
  const places = await placesNow();
  const place = own.map(i => places[i]).find(found => found && found[1] > found[0]);
  if (!place || placed.key !== JSON.stringify([state.text, state.variant, state.settings])) return;
  if (enter) inTab("text");
  editor.dispatch({selection: {anchor: place[0]}, effects: CM.EditorView.scrollIntoView(place[0], {y: "center"})});
  if (enter) editor.focus();
};

// The box of the line where the cursor is, the nearest step counts; a line of no layer moves nothing.
const toBox = async () => {
  const from = document.activeElement, at = editor.state.selection.main.head, line = editor.state.doc.lineAt(at);
  let best = null, least = Infinity;
  const places = await placesNow();
  const boxes = leaves().map(box => [box, [...numbers(box.dataset.layers)]]);
  for (const [box, layers] of boxes) {
    for (const [start, end] of layers.map(i => places[i]).filter(Boolean)) {
      if (end <= start || end < line.from || start > line.to) continue;
      const far = start <= at && at <= end ? 0 : Math.min(Math.abs(at - start), Math.abs(at - end));
      if (far < least) [best, least] = [box, far];
    }
  }
  const known = boxOf(current);
  const stands = known && boxes.find(([box]) => box === known)[1].some(i => places[i] && places[i][0] <= line.to && places[i][1] >= line.from);
  if (best && !stands && document.activeElement === from) goTo(best);
};

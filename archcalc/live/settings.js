"use strict";
// A control for every variable; a chart of what one of them does.
let drawnFor = "", sweepOf = "", sweepNumber = 0, points = [], metricNames = [];
const chosen = {x: "value", y: "multiplies", block: ""};
const metric = (point, name) => point[`block ${name}`] ?? point[name];

const nice = value => {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map(m => m * power).find(found => found >= value * .999);
};
// Where a slider begins and ends, and its step, by the default.
const rangeOf = ({kind, default: own}) => {
  const value = Math.abs(Number(own)), [low, high, step] = rangeOfSize(kind, value);
  return Number(own) < 0 ? [-high, -low, step] : [low, high, step];
};
const rangeOfSize = (kind, value) => {
  if (kind === "decimal") {
    const high = nice(2 * value || 1);
    return [0, high, high / 40];
  }
  if (!value) return [0, 128, 1];
  if (value <= 16) return [1, 32, 1];
  const step = 2 ** Math.max(0, Math.floor(Math.log2(value / 64)));
  return [step, Math.ceil(2 * value / step) * step, step];
};

const set = (name, value, own) => {
  if (value === own) delete state.settings[name]; else state.settings[name] = value;
  mark(name);
  linked();
  recompute();
};
const mark = name => {
  const row = $("controls").querySelector(`[data-name="${CSS.escape(name)}"]`);
  row?.classList.toggle("changed", Object.hasOwn(state.settings, name) || (name === "variant" && state.variant !== opening.variant));
};

// A slider reaches as far as its value: one beyond its ends moves them.
const slide = (slider, value) => {
  if (Number(value) > slider.max) slider.max = value;
  if (Number(value) < slider.min) slider.min = value;
  slider.value = value;
};

const GRAPH = "M1 12 L6 6 L10 8 L17 1";
const control = variable => {
  const {name, kind, default: own, value, choices, help} = variable;
  const id = `set-${name}`;
  const row = element("div", {className: "control", title: help});
  row.dataset.name = name;
  row.append(element("label", {htmlFor: id, textContent: name}));
  if (kind === "choice" || kind === "switch") {
    const field = kind === "switch"
      ? element("input", {type: "checkbox", id, checked: value === "true"})
      : element("select", {id, className: "wide"}, ...choices.map(choice => element("option", {textContent: choice, selected: choice === value})));
    field.addEventListener("change", () => set(name, kind === "switch" ? String(field.checked) : field.value, own));
    row.append(field);
  } else if (kind === "integer" || kind === "decimal") {
    const [min, max, step] = rangeOf(variable);
    const slider = element("input", {type: "range", min, max, step, "aria-label": `${name}, slider`});
    slide(slider, value);
    const field = element("input", {id, value, inputMode: "decimal", autocomplete: "off"});
    slider.addEventListener("input", () => { field.value = String(Number(Number(slider.value).toFixed(6))); set(name, field.value, own); });
    field.addEventListener("input", () => { slide(slider, field.value); set(name, field.value.trim(), own); });
    const chart = element("button", {type: "button", title: `What ${name} does`, "aria-label": `Chart of ${name}`, "aria-expanded": "false"},
      drawnElement("svg", {viewBox: "0 0 18 14"}, drawnElement("path", {d: GRAPH})));
    chart.addEventListener("click", () => toggleSweep(variable, row));
    row.append(slider, field, chart);
  } else {
    const field = element("input", {id, value, className: "wide", autocomplete: "off", spellcheck: false});
    field.addEventListener("input", () => set(name, field.value.trim(), own));
    row.append(field);
  }
  return row;
};

const showControls = ({variables, variants, variant, input}) => {
  const size = {name: "input", kind: "text", default: "", value: state.settings.input ?? "", choices: [], help: "another size: 320, 320x256 or 320x256x3"};
  const key = JSON.stringify([variants, variant, variables.map(({value, ...rest}) => rest)]);
  if (key !== drawnFor) {
    drawnFor = key;
    sweepOf = "";
    const rows = [...variables, size].map(control);
    if (variants.length) rows.unshift(variantRow(variants, variant));
    $("controls").replaceChildren(...rows);
  }
  $("controls").querySelector("#set-input").placeholder = input;
  for (const {name, kind, value} of variables) {
    const row = $("controls").querySelector(`[data-name="${CSS.escape(name)}"]`);
    for (const field of row.querySelectorAll("input, select")) {
      if (field === document.activeElement || field.closest(".sweep")) continue;
      if (kind === "switch") field.checked = value === "true";
      else if (field.value !== value && field.type === "range") slide(field, value);
      else if (field.value !== value) field.value = value;
    }
    mark(name);
  }
  mark("input");
  const count = Object.keys(state.settings).length;
  $("changes").hidden = !count;
  $("changes").firstChild.textContent = count === 1 ? "1 setting changed" : `${count} settings changed`;
  if (sweepOf) sweepAgain();
};

const variantRow = (variants, variant) => {
  const row = element("div", {className: "control", title: "a network of this family"});
  row.dataset.name = "variant";
  const field = element("select", {id: "set-variant", className: "wide"}, ...(variant ? [] : [element("option", {value: "", textContent: "–"})]),
    ...variants.map(name => element("option", {textContent: name, selected: name === variant})));
  field.addEventListener("change", () => { state.variant = field.value; state.settings = {}; linked(); recompute(); });
  row.append(element("label", {htmlFor: "set-variant", textContent: "variant"}), field);
  return row;
};

// The chart below a slider: a metric over the variable, or two metrics with their front.
const toggleSweep = (variable, row) => {
  const open = row.nextElementSibling?.classList.contains("sweep");
  $("controls").querySelector(".sweep")?.remove();
  for (const button of $("controls").querySelectorAll("[aria-expanded]")) button.setAttribute("aria-expanded", "false");
  sweepOf = open ? "" : variable.name;
  if (open) return;
  row.querySelector("button").setAttribute("aria-expanded", "true");
  const pick = (key, names) => {
    const select = element("select", {"aria-label": key === "x" ? "across" : "upwards"}, ...names.map(name => element("option", {textContent: name, value: name === variable.name ? "value" : name, selected: (name === variable.name ? "value" : name) === chosen[key]})));
    select.addEventListener("change", () => { chosen[key] = select.value; drawSweep(); });
    return select;
  };
  const METRICS = ["parameters", "multiplies", "weights", "stored", "peak", "field", "output"];
  row.after(element("div", {className: "sweep"},
    element("div", {className: "choose"}, pick("y", METRICS), ...pickBlock(), "over", pick("x", [variable.name, ...METRICS])),
    drawnElement("svg", {viewBox: "0 0 340 150", role: "img"}), element("p")));
  row.nextElementSibling.scrollIntoView({block: "nearest"});
  points = [];
  sweepAgain();
};

// Whose parameters and multiplies: the network's, or a block's.
const pickBlock = () => {
  const names = [...new Set([...$("rows").querySelectorAll("tr.sum")].map(row => row.title))];
  if (!names.includes(chosen.block)) chosen.block = "";
  if (!names.length) return [];
  const option = name => element("option", {value: name, textContent: name || "all", selected: name === chosen.block});
  const select = element("select", {"aria-label": "of"}, ...["", ...names].map(option));
  select.addEventListener("change", () => { chosen.block = select.value; sweepAgain(); });
  return ["of", select];
};

let sweepKey = "", waiting = 0;
const sweepAgain = () => {
  const {[sweepOf]: own, ...others} = state.settings;
  const key = JSON.stringify([state.text, state.variant, sweepOf, others, chosen.block]);
  if (key === sweepKey && points.length) { drawSweep(); return; }
  sweepKey = key;
  clearTimeout(waiting);
  waiting = setTimeout(() => trying(runSweep), 150);
};
const runSweep = async () => {
  const variable = last.variables.find(({name}) => name === sweepOf);
  if (!variable) return;
  const [min, max, step] = rangeOf(variable);
  const count = Math.min(48, Math.round((max - min) / step));
  const stride = Math.max(1, Math.round((max - min) / step / count)) * step;
  const values = new Set([variable.value, variable.default]);
  for (let value = min; value <= max + 1e-9; value += stride) values.add(String(Number(value.toFixed(6))));
  const sorted = [...values].sort((a, b) => a - b);
  const number = ++sweepNumber, found = [];
  for await (const part of ask("sweep", question({number, variable: sweepOf, values: sorted, block: chosen.block}))) {
    if (number !== sweepNumber) return;
    if (part.part === "mistakes") return;
    if (part.part === "point" && part.metrics) found.push({value: part.value, ...part.metrics});
    if (found.length % 8 === 0 || found.length === sorted.length) { points = found; drawSweep(); }
  }
  points = found;
  drawSweep();
};

// Those that no other is at most as large as in both, and smaller in one.
const frontOf = (xs, ys) => xs.map((x, i) => !xs.some((u, j) =>
  u <= x && ys[j] <= ys[i] && (u < x || ys[j] < ys[i])));

const drawSweep = () => {
  const panel = $("controls").querySelector(".sweep");
  if (!panel || !points.length) return;
  const now = last.variables.find(({name}) => name === sweepOf)?.value;
  const xs = points.map(point => Number(metric(point, chosen.x))), ys = points.map(point => Number(metric(point, chosen.y)));
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const px = x => 44 + 288 * (x - left) / (right - left || 1), py = y => low === high ? 68 : 124 - 112 * (y - low) / (high - low);
  const front = chosen.x === "value" ? xs.map(() => false) : frontOf(xs, ys);
  const text = (x, y, anchor, words) => drawnElement("text", {x, y, "text-anchor": anchor}, words);
  const dots = points.map((point, i) => {
    const isNow = point.value === now;
    const dot = drawnElement("circle", {cx: px(xs[i]), cy: py(ys[i]), r: isNow ? 4.5 : 3, class: isNow ? "now" : front[i] ? "front" : ""},
      drawnElement("title", {}, `${sweepOf} ${point.value}: ${chosen.y} ${grouped(metric(point, chosen.y))}`));
    dot.addEventListener("click", () => {
      const field = $(`set-${sweepOf}`);
      field.value = point.value;
      field.dispatchEvent(new Event("input"));
    });
    return dot;
  });
  const line = points.map((_, i) => i).sort((a, b) => xs[a] - xs[b]).filter(i => chosen.x === "value" || front[i]);
  const [lower, upper] = scaledEnds(low, high), [first, final] = scaledEnds(left, right);
  panel.querySelector("svg").replaceChildren(
    drawnElement("path", {class: "axis", d: "M44 8V124H334"}),
    ...(low === high ? [text(40, 71, "end", lower)] : [text(40, 16, "end", upper), text(40, 124, "end", lower)]),
    text(44, 138, "start", first), text(334, 138, "end", final),
    drawnElement("path", {class: "line", d: `M${line.map(i => `${px(xs[i]).toFixed(1)} ${py(ys[i]).toFixed(1)}`).join("L")}`}), ...dots);
  const at = points.find(point => point.value === now);
  const said = at ? `${sweepOf} ${now}: ${chosen.y}${chosen.block && ` of ${chosen.block}`} ${grouped(metric(at, chosen.y))}` : "";
  panel.querySelector("p").textContent = chosen.x === "value" || !at ? said : `${said}, ${chosen.x} ${grouped(metric(at, chosen.x))}`;
  panel.querySelector("svg").setAttribute("aria-label", `${chosen.y} over ${chosen.x === "value" ? sweepOf : chosen.x}, ${points.length} points`);
};
// The settings become the values of the text; the text is as it would be typed, and Ctrl-Z takes it back.
const writeSettings = async () => {
  if (!editor) return;
  const {edits} = await one("written", question());
  if (!edits.length) return;
  state.settings = {};
  linked();
  editor.dispatch({changes: edits.map(([from, to, insert]) => ({from, to, insert}))});
};
$("write").addEventListener("click", () => trying(writeSettings));
$("reset").addEventListener("click", () => { state.settings = {}; $("set-input").value = ""; linked(); recompute(); });
$("controls").addEventListener("submit", event => event.preventDefault());

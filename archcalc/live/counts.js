"use strict";
// Totals with the base beside them, what is alive at each step, and a row a box.
let base = null, last = null, seen = [], baseRows = new Map(), baseSums = new Map();

// ▲ 31.7 %: how a count differs from the base's, '' where it does not; what is no number: what it was.
const change = (now, before) => {
  if (before === undefined || now === before) return "";
  const [a, b] = [Number(before), Number(now)];
  if (Number.isNaN(a + b)) return `was ${before}`;
  if (!a) return "▲ new";
  const part = Math.abs(b - a) / a * 100;
  const digits = part >= 100 ? 0 : 1;
  return `${b > a ? "▲" : "▼"} ${part.toFixed(digits) === "0.0" ? "<0.1" : digits ? part.toFixed(1) : grouped(part.toFixed(0))} %`;
};
// The change stands last in its place; returns whether there is one.
const putChange = (parent, now, before) => {
  const text = change(now, before), mark = putLast(parent, "i", text);
  if (!mark) return false;
  put(mark, "className", {"▲": "more", "▼": "less"}[text[0]] ?? "");
  put(mark, "title", `${grouped(before)} before`);
  return true;
};

const TOTALS = [
  ["parameters", "parameters", "first"], ["multiplies", "multiplies", "first"],
  ["weights", "weights, float32", "rest"], ["peak", "peak of maps", "third"],
  ["layers", "weight layers", "rest"], ["field", "pixels seen", "rest"],
];
const makeTotal = () => element("div", {}, element("b"), element("span"));
const showTotals = () => {
  const {totals, shown} = last;
  renewEach($("totals"), TOTALS.filter(([key]) => totals[key] !== undefined), makeTotal, (place, [key, name, rank]) => {
    const [value, told] = place.children;
    put(place, "className", `total ${rank}`);
    putText(value, shown[key] ?? grouped(totals[key]));
    putText(told, name);
    put(value.dataset, "total", key);
    put(value.dataset, "value", totals[key]);
    putChange(place, totals[key], base?.totals[key]);
  });
};

const makeStep = () => drawnElement("rect", {class: "step", width: .9}, drawnElement("title"));
const showAlive = ({alive, peak}) => {
  const high = Number(peak) || 1;
  const most = alive.find(([value]) => value === peak);
  const told = most?.[2].split("\n")[0];
  $("peak").textContent = most ? `values alive, at most ${grouped(peak)}: ${told.slice(0, told.lastIndexOf(": "))}` : "";
  $("peak").title = most ? most[2] : "";
  $("alive").setAttribute("viewBox", `0 0 ${alive.length} 100`);
  $("alive").setAttribute("aria-label", $("peak").textContent);
  renewEach($("alive"), alive, makeStep, (step, [value, layers, told], i) => {
    const part = 100 * Number(value) / high;
    const place = {x: i, y: 100 - part, height: part, "data-layers": layers};
    for (const name in place) putAttribute(step, name, String(place[name]));
    step.classList.toggle("peak", value === peak);
    putText(step.firstChild, told);
  });
};

const COUNTS = ["parameters", "multiplies"];
// What the rows of a block of the network sum to, by the block's name; one row is its own sum.
const topOf = path => path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
const sumsOf = rows => {
  const found = new Map();
  for (const [layers, path, , , , parameters, multiplies] of rows) {
    const name = topOf(path);
    if (!name) continue;
    const sum = found.get(name) ?? {layers: [], parameters: 0n, multiplies: 0n, rows: 0};
    sum.layers.push(layers);
    sum.parameters += BigInt(parameters);
    sum.multiplies += BigInt(multiplies);
    sum.rows++;
    found.set(name, sum);
  }
  for (const sum of found.values()) for (const key of COUNTS) sum[key] = String(sum[key]);
  return found;
};

const makeRow = () => element("tr", {},
  element("td", {}, element("div", {className: "path"}, element("bdi"))), element("td"), element("td"));
const showRow = (row, {path, shown, small, layers, rank, now, before}) => {
  const [name, ...counts] = row.children;
  put(row, "title", path);
  const isLit = row.dataset.layers === layers && row.classList.contains("lit");
  put(row.dataset, "layers", layers);
  putText(name.firstChild.firstChild, shown);
  putLast(name, "small", small);
  const changes = COUNTS.map((key, i) => {
    putText(counts[i], grouped(now[key]));
    return putChange(counts[i], now[key], before?.[key]);
  });
  put(row, "className", `${rank}${changes.includes(true) ? " changed" : ""}${isLit ? " lit" : ""}`);
};

// What a box or a block had in the base: a layer there may be a block by now.
const baseOf = path => {
  const row = baseRows.get(path);
  return row ? {parameters: row[5], multiplies: row[6]} : baseSums.get(path);
};

// Columns are as wide as their longest count so far: with each digit that goes all rows would be laid out.
let digits = {};
const widen = (key, rows) => {
  const most = rows.reduce((most, {now}) => Math.max(most, now[key].length), digits[key] ?? 0);
  if (most === digits[key]) return;
  digits[key] = most;  // a comma is about half as wide
  $("rows").style.setProperty(`--${key}`, `${Math.max(key.length, most + .6 * Math.floor((most - 1) / 3))}ch`);
};

// A row a box, below the sum of its block. A path too long for its place loses its beginning.
const showRows = rows => {
  const told = [];
  const sums = sumsOf(rows);
  let last = "";
  for (const [layers, path, times, what, output, parameters, multiplies] of rows) {
    const top = topOf(path), sum = sums.get(top);
    const isGroup = sum?.rows > 1;
    if (isGroup && top !== last && !sum.shown) {
      sum.shown = true;
      told.push({path: top, shown: top, small: "", layers: sum.layers.join(" "), rank: "sum", now: sum, before: baseOf(top)});
    }
    last = top;
    const rank = `${isGroup ? "inner" : ""} ${parameters === "0" && multiplies === "0" ? "free" : ""}`;
    const small = [output, times && `×${times}`, what].filter(Boolean).join(" · ");
    told.push({path, shown: isGroup ? path.slice(top.length + 1) : path, small, layers, rank, now: {parameters, multiplies}, before: baseOf(path)});
  }
  COUNTS.forEach(key => widen(key, told));
  renewEach($("rows").querySelector("tbody"), told, makeRow, showRow);
};

// What changes are told from, folded as what is seen: a row of one copy is not told from a row of two.
let origin = {text: "", variant: "", settings: {}}, baseFold = "";
const isOrigin = () => JSON.stringify(origin) === JSON.stringify({text: state.text, variant: state.variant, settings: state.settings});
const foldNow = () => JSON.stringify([[...state.expand], [...state.close]]);
const takeBase = part => {
  baseFold = foldNow();
  base.totals.field = part.field;
  baseRows = new Map(part.rows.map(row => [row[1], row]));
  baseSums = sumsOf(part.rows);
};
const askBase = async () => {
  if (!base) return;
  const fold = foldNow();
  for await (const part of ask("answer", question({...origin, page: `${state.page} base`}))) {
    if (part.part !== "drawn" || fold !== foldNow()) continue;
    takeBase(part);
    showTotals();
    showRows(seen);
  }
};

"use strict";
// Totals with the base beside them, what is alive at each step, and a row a box.
let base = null, last = null, baseRows = new Map(), baseSums = new Map();

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
const changeElement = (now, before) => {
  const text = change(now, before);
  if (!text) return [];
  const title = `${grouped(before)} before`;
  return [element("i", {className: {"▲": "more", "▼": "less"}[text[0]] ?? "", textContent: text, title})];
};

const TOTALS = [
  ["parameters", "parameters", "first"], ["multiplies", "multiplies", "first"],
  ["weights", "weights, float32", "rest"], ["peak", "peak of maps", "third"],
  ["layers", "weight layers", "rest"], ["field", "pixels seen", "rest"],
];
const showTotals = () => {
  const {totals, shown} = last;
  renewChildren($("totals"), TOTALS.filter(([key]) => totals[key] !== undefined).map(([key, name, rank]) => {
    const value = element("b", {textContent: shown[key] ?? grouped(totals[key])});
    value.dataset.total = key;
    value.dataset.value = totals[key];
    return element("div", {className: `total ${rank}`}, value, element("span", {textContent: name}), ...changeElement(totals[key], base?.totals[key]));
  }));
};

const showAlive = ({alive, peak}) => {
  const high = Number(peak) || 1;
  const most = alive.find(([value]) => value === peak);
  $("peak").textContent = most ? `values alive at each step; peak: ${most[2].split("\n")[0]}` : "";
  $("peak").title = most ? most[2] : "";
  $("alive").setAttribute("viewBox", `0 0 ${alive.length} 100`);
  $("alive").setAttribute("aria-label", $("peak").textContent);
  renewChildren($("alive"), alive.map(([value, layers, told], i) => {
    const part = 100 * Number(value) / high;
    const place = {x: i, y: 100 - part, width: .9, height: part, "data-layers": layers};
    return drawnElement("rect", {class: value === peak ? "step peak" : "step", ...place}, drawnElement("title", {}, told));
  }));
};

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
  return found;
};

const countsOf = (now, before) => ["parameters", "multiplies"].map(key =>
  element("td", {textContent: grouped(String(now[key]))}, ...changeElement(String(now[key]), before && String(before[key]))));
const rowOf = (path, shown, small, layers, now, before) => {
  const name = element("div", {className: "path"}, element("bdi", {textContent: shown}));
  const row = element("tr", {title: path}, element("td", {}, name, ...(small ? [element("small", {textContent: small})] : [])), ...countsOf(now, before));
  row.dataset.layers = layers;
  return row;
};

// What a box or a block had in the base: a layer there may be a block by now.
const baseOf = path => {
  const row = baseRows.get(path);
  return row ? {parameters: row[5], multiplies: row[6]} : baseSums.get(path);
};

// A row a box, below the sum of its block. A path too long for its place loses its beginning.
const showRows = rows => {
  const made = [];
  const sums = sumsOf(rows);
  let last = "";
  for (const [layers, path, times, what, output, parameters, multiplies] of rows) {
    const top = topOf(path), sum = sums.get(top);
    const isGroup = sum?.rows > 1;
    if (isGroup && top !== last && !sum.shown) {
      const row = rowOf(top, top, "", sum.layers.join(" "), sum, baseOf(top));
      row.className = "sum";
      sum.shown = true;
      made.push(row);
    }
    last = top;
    const small = [output, times && `×${times}`, what].filter(Boolean).join(" · ");
    const row = rowOf(path, isGroup ? path.slice(top.length + 1) : path, small, layers, {parameters, multiplies}, baseOf(path));
    row.className = `${isGroup ? "inner" : ""} ${parameters === "0" && multiplies === "0" ? "free" : ""}`;
    made.push(row);
  }
  renewChildren($("rows").querySelector("tbody"), made);
};

"use strict";
// Columns sort: numbers from the largest, texts from A to Z; a second click turns the order around.
for (const table of document.querySelectorAll("table.sort")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const first = [...body.rows];
  const key = (row, at) => {
    const cell = row.cells[at];
    return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  };
  const order = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "") || 0;
    if (typeof a === "number" && typeof b === "number") return b - a;
    return String(a).localeCompare(String(b), "en", {numeric: true});
  };
  heads.forEach((head, at) => head.querySelector("button")?.addEventListener("click", () => {
    const numeric = first.some(row => row.cells[at].dataset.v !== undefined);
    const usual = numeric ? "descending" : "ascending";
    const turned = head.getAttribute("aria-sort") === usual;
    const way = turned ? (numeric ? "ascending" : "descending") : usual;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    const sorted = [...first].sort((a, b) => order(key(a, at), key(b, at)));
    if (turned) sorted.reverse();
    body.append(...sorted);
  }));
}

// What stands for the same layers lights up together, within one network.
const numbers = text => {
  const found = new Set();
  for (const part of text.split(" ").filter(Boolean)) {
    const [first, last = first] = part.split("-").map(Number);
    for (let i = first; i <= last; i++) found.add(i);
  }
  return found;
};
for (const article of document.querySelectorAll("article")) {
  const marks = [...article.querySelectorAll("[data-layers]")]
    .map(element => ({element, layers: numbers(element.dataset.layers)}))
    .filter(mark => mark.layers.size);
  const of = new Map(marks.map(mark => [mark.element, mark]));
  const within = (few, many) => few.size <= many.size && [...few].every(i => many.has(i));
  const dark = () => { for (const mark of marks) mark.element.classList.remove("lit"); };
  const light = event => {
    const chosen = of.get(event.target.closest("[data-layers]"));
    dark();
    if (!chosen) return;
    for (const {element, layers} of marks) {
      const wider = !element.classList.contains("frame") && within(chosen.layers, layers);
      if (element === chosen.element || wider || within(layers, chosen.layers)) element.classList.add("lit");
    }
  };
  article.addEventListener("pointerover", light);
  article.addEventListener("focusin", light);
  article.addEventListener("pointerleave", dark);
}

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
for (const article of document.querySelectorAll("article")) lights(article);

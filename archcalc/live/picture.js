"use strict";
// The picture: one Tab stop, arrows from box to box, blocks that close and open, search, size.
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
let svg = null, zoom = 0, current = "", styled = "";
let pieces = [], nodes = null;  // the text that is drawn, and what stands for each of its pieces

const leaves = () => svg ? [...svg.querySelectorAll("g.box:not(.frame)")] : [];
const boxOf = path => leaves().find(box => box.dataset.path === path);
const middle = box => {
  const {x, y, width, height} = box.querySelector(".body").getBoundingClientRect();
  return [x + width / 2, y + height / 2];
};

const showPicture = text => {
  if (!text) { svg = null; pieces = []; $("picture").replaceChildren(); return; }
  const style = text.match(STYLE)[1];
  if (style !== styled) sheet.replaceSync(styled = style);
  const old = pieces, before = nodes, focused = svg?.contains(document.activeElement);
  pieces = piecesOf(text.replace(STYLE, "").replace(SIZE, "$1"));
  nodes = redraw(nodes, old, pieces, prepare);
  if (!nodes) drawAnew(pieces.join(""));
  if (nodes !== before) takeTabStop(focused);
  for (const box of leaves()) putAttribute(box, "aria-label", box.firstElementChild.textContent);
  resize();
  if (hits.length || $("search").value) search();
};
const STYLE = /<style>([^<]*)<\/style>/;
const SIZE = /^(<svg [^>]*?) width="[^"]*" height="[^"]*"/;  // the page has its own

const prepare = made => {
  for (const box of made.querySelectorAll("g.box:not(.frame)")) {
    box.setAttribute("tabindex", "-1");
    box.setAttribute("role", "button");
  }
};
const drawAnew = text => {
  const made = drawn(text);
  for (const name of ["width", "height"]) made.setAttribute(name, svg?.getAttribute(name) ?? 0);  // as large as it is
  prepare(made);
  made.setAttribute("role", "group");
  renewChildren($("picture"), [made]);
  svg = $("picture").firstElementChild;
  nodes = nodesOf(svg, pieces);
};
const takeTabStop = focused => {
  const own = boxOf(current) ?? nearestPath(current) ?? leaves()[0];
  if (own) {
    own.tabIndex = 0;
    if (focused) own.focus({preventScroll: true});
  }
};

// The box of the longest common beginning: of a block that has been closed, or opened.
const nearestPath = path => {
  let best = null, most = 0;
  for (const box of leaves()) {
    const other = box.dataset.path;
    let same = 0;
    while (same < path.length && path[same] === other[same]) same++;
    if (same > most) [best, most] = [box, same];
  }
  return best;
};

const resize = () => {
  if (!svg) return;
  const {width, height} = svg.viewBox.baseVal;
  measured();
  const [least, edge] = innerWidth < 600 ? [1.25, 14] : [.62, 2];  // a phone has its width, and scrolls
  const whole = Math.min(1.25, (room.width - edge) / width, Math.max((room.height - 2) / height, least));
  const size = zoom || Math.max(whole, .3);
  putAttribute(svg, "width", String(width * size));  // set anew, the same would lay out the picture again
  putAttribute(svg, "height", String(height * size));
};
const zoomed = factor => {
  if (!svg) return;
  const place = $("picture"), sides = [["scrollLeft", "clientWidth", "scrollWidth"], ["scrollTop", "clientHeight", "scrollHeight"]];
  const middles = sides.map(([start, part, all]) => (place[start] + place[part] / 2) / place[all]);
  zoom = factor && Math.min(4, Math.max(.2, svg.getBoundingClientRect().width / svg.viewBox.baseVal.width * factor));
  resize();
  sides.forEach(([start, part, all], i) => { place[start] = middles[i] * place[all] - place[part] / 2; });
  if (svg.contains(document.activeElement)) document.activeElement.scrollIntoView({block: "center", inline: "center"});
};

const goTo = box => {
  if (!box) return;
  for (const other of leaves()) other.tabIndex = -1;
  box.tabIndex = 0;
  current = box.dataset.path;
  box.focus({preventScroll: true});
  box.scrollIntoView({block: "nearest", inline: "nearest"});
};

// The nearest box that way; what is aside counts double.
const towards = (from, dx, dy) => {
  const [x, y] = middle(from);
  let best = null, least = Infinity;
  for (const box of leaves()) {
    const [u, v] = middle(box);
    const along = (u - x) * dx + (v - y) * dy, aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
    const far = along + 2 * aside;
    if (box !== from && along > 1 && far < least) [best, least] = [box, far];
  }
  return best;
};

// The innermost frame around a box.
const around = box => {
  const [x, y] = middle(box);
  let best = null, least = Infinity;
  for (const frame of svg.querySelectorAll("g.box.frame")) {
    const r = frame.querySelector(".body").getBoundingClientRect();
    const area = r.width * r.height;
    if (r.left <= x && x <= r.right && r.top <= y && y <= r.bottom && area < least) [best, least] = [frame, area];
  }
  return best;
};

// A closed block opens, unless the one around it is meant.
const fold = (box, outer = false) => {
  const isClosed = box.classList.contains("block") && !outer;
  const block = isClosed || box.classList.contains("frame") ? box : around(box);
  if (!block?.dataset.path) return;
  const path = block.dataset.path;
  current = path;
  if (!isClosed) state.close.add(path);
  else if (!state.close.delete(path)) state.expand.add(path);
  if (!isClosed) state.expand.delete(path);
  recompute();
};
const unfold = box => {
  const path = (box.classList.contains("block") || box.classList.contains("frame") ? box : around(box))?.dataset.path;
  if (!path) return;
  const base = [...state.expand].find(name => name === path || path.startsWith(`${name}/`));
  if (base) state.expand.delete(base); else state.expand.add(path);
  state.close.delete(path);
  current = box.dataset.path;
  recompute();
};

const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
$("picture").addEventListener("keydown", event => {
  const box = event.target.closest("g.box");
  if (!box || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow) goTo(towards(box, ...arrow));
  else if (event.key === "Home") goTo(leaves()[0]);
  else if (event.key === "End") goTo(leaves().at(-1));
  else if (event.key === "Enter") fold(box, event.shiftKey);
  else if (event.key === "x") unfold(box);
  else if (event.key === "t") trying(() => toLine(box, true));
  else return;
  event.preventDefault();
});
$("picture").addEventListener("click", event => {
  const box = event.target.closest("g.box:not(.frame)");
  if (!box) return;
  goTo(box);
  trying(() => toLine(box));
});
$("picture").addEventListener("dblclick", event => {
  const box = event.target.closest("g.box");
  if (box) fold(box);
});

let hits = [], hit = -1;
const search = () => {
  const wanted = $("search").value.trim().toLowerCase();
  hits = wanted ? leaves().filter(box => `${box.dataset.path} ${box.textContent}`.toLowerCase().includes(wanted)) : [];
  for (const box of leaves()) box.classList.toggle("hit", hits.includes(box));
  $("picture").classList.toggle("searched", hits.length > 0);
  $("hits").textContent = wanted ? `${hits.length} found` : "";
  hit = -1;
};
$("search").addEventListener("input", search);
$("search").addEventListener("keydown", event => {
  if (event.key === "Enter" && hits.length) {
    hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    const box = hits[hit];
    current = box.dataset.path;
    box.scrollIntoView({block: "center", inline: "center"});
    for (const other of leaves()) { other.tabIndex = other === box ? 0 : -1; other.classList.toggle("lit", other === box); }
    $("hits").textContent = `${hit + 1} of ${hits.length}`;
  } else if (event.key === "Escape") {
    $("search").value = "";
    search();
    goTo(boxOf(current) ?? leaves()[0]);
  }
});
$("smaller").addEventListener("click", () => zoomed(1 / 1.25));
$("larger").addEventListener("click", () => zoomed(1.25));
$("whole").addEventListener("click", () => zoomed(0));
$("by").addEventListener("change", () => { state.by = $("by").value; linked(); recompute(); });
new ResizeObserver(() => { room = null; resize(); }).observe($("picture"));

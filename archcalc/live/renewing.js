"use strict";
// What stands on the page becomes what an answer says, and only what differs is touched.
const put = (node, key, value) => { if (node[key] !== value) node[key] = value; };
const putAttribute = (node, name, value) => { if (node.getAttribute(name) !== value) node.setAttribute(name, value); };

const putText = (node, text) => { if (node.firstChild) put(node.firstChild, "data", text); else node.append(text); };
// The last element within, of that name, which is there only with a text.
const putLast = (parent, name, text) => {
  let found = parent.lastElementChild;
  if (found?.localName !== name) found = null;
  if (!text) { found?.remove(); return null; }
  found ??= parent.appendChild(element(name));
  putText(found, text);
  return found;
};

// As many children as there are items: those that are there are kept, others are made.
const renewEach = (parent, items, make, show) => {
  while (parent.childElementCount > items.length) parent.lastElementChild.remove();
  let child = parent.firstElementChild;
  items.forEach((item, i) => {
    child ??= parent.appendChild(make());
    show(child, item, i);
    child = child.nextElementSibling;
  });
};

// Makes what stands there equal to what has been made.
const renew = (old, made) => {
  if (old.nodeType !== made.nodeType || old.nodeName !== made.nodeName) { old.replaceWith(made); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    put(old, "data", made.data);
    return;
  }
  for (const {name, value} of made.attributes) putAttribute(old, name, value);
  if (old.attributes.length > made.attributes.length) {
    for (const {name} of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  }
  renewChildren(old, [...made.childNodes]);
};
const renewChildren = (parent, made) => {
  const old = [...parent.childNodes];
  made.forEach((child, i) => { if (old[i]) renew(old[i], child); else parent.append(child); });
  for (const child of old.slice(made.length)) child.remove();
};

// A drawing's text in pieces, text and tag by turns; what is written in them is escaped.
const piecesOf = text => text.split(/(<[^>]+>)/);
const LETTERS = {amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'"};
const unescaped = text => text.includes("&") ? text.replace(/&(amp|lt|gt|quot|#x27);/g, (_, name) => LETTERS[name]) : text;
const VALUES = /([\w-]+)="([^"]*)"/g;

// The nodes of a drawing that was made of these pieces, each at its piece; null: they are not its own.
const nodesOf = (root, pieces) => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  const nodes = [];
  let node = root;
  for (let i = 1; i < pieces.length - 1; i++) {  // before and behind the drawing there is none
    if (!pieces[i] || pieces[i].startsWith("</")) continue;
    if (!node || (node.nodeType === Node.ELEMENT_NODE) !== (i % 2 === 1)) return null;
    nodes[i] = node;
    node = walker.nextNode();
  }
  return node ? null : nodes;
};

// The parts of a drawing that stand side by side, and what is between them: [gap, part, gap, …, gap],
// each from its first piece to the one behind it.
const spansOf = pieces => {
  const spans = [];
  let depth = 0, begin = 0, start = 0;
  for (let i = 1; i < pieces.length; i += 2) {
    const ends = pieces[i].startsWith("</"), alone = pieces[i].endsWith("/>");
    if (ends) depth--;
    else if (depth === 1) { spans.push([begin, i]); start = i; }
    if (depth === 1 && (ends || alone)) { spans.push([start, i + 1]); begin = i + 1; }
    if (!ends && !alone) depth++;
  }
  return [...spans, [begin, pieces.length]];
};

// The pieces of a span that differ, if they do in words and values alone; else null.
const form = tag => tag.replace(VALUES, "$1");
const differences = (nodes, old, pieces, [start, end], [newStart, newEnd]) => {
  if (end - start !== newEnd - newStart) return null;
  const found = [];
  for (let i = start, j = newStart; i < end; i++, j++) {
    if (old[i] === pieces[j]) continue;
    if (!nodes[i] || !pieces[j] || pieces[j].includes("\r")) return null;
    if (i % 2 && (form(old[i]) !== form(pieces[j]) || /[\t\n]/.test(pieces[j]))) return null;
    found.push([i, j]);
  }
  return found;
};
const repiece = (node, old, piece) => {
  if (node.nodeType !== Node.ELEMENT_NODE) { node.data = unescaped(piece); return; }
  const before = [...old.matchAll(VALUES)];
  [...piece.matchAll(VALUES)].forEach(([, name, value], k) => {
    if (value !== before[k][2]) node.setAttribute(name, unescaped(value));
  });
};
const drawn = text => new DOMParser().parseFromString(text, "image/svg+xml").documentElement;

// Changes a drawing from pieces to pieces: in place, or part by part where one has another form.
// Returns the nodes of the new pieces; null: there are other parts, and all is to be made anew.
const redraw = (nodes, old, pieces, prepare) => {
  if (!nodes) return null;
  const before = spansOf(old), now = spansOf(pieces);
  if (before.length !== now.length) return null;
  const changes = before.map((span, k) => differences(nodes, old, pieces, span, now[k]));
  if (changes.some((found, k) => !found && k % 2 === 0)) return null;
  changes.forEach((found, k) => {
    if (found) { for (const [i, j] of found) repiece(nodes[i], old[i], pieces[j]); return; }
    const made = drawn(`<svg xmlns="http://www.w3.org/2000/svg">${pieces.slice(...now[k]).join("")}</svg>`);
    prepare(made);
    nodes[before[k][0]].replaceWith(made.firstElementChild);
  });
  return changes.includes(null) ? nodesOf(nodes[1], pieces) : nodes;
};

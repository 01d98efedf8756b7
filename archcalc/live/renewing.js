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

// Changes a drawing from pieces to pieces that differ in words and values alone; false: in more than that.
const repiece = (nodes, old, pieces) => {
  if (!nodes || old.length !== pieces.length) return false;
  const form = tag => tag.replace(VALUES, "$1");
  const changed = [];
  for (let i = 0; i < pieces.length; i++) if (old[i] !== pieces[i]) changed.push(i);
  for (const i of changed) {
    if (!nodes[i] || !pieces[i] || pieces[i].includes("\r")) return false;
    if (i % 2 && (form(old[i]) !== form(pieces[i]) || /[\t\n]/.test(pieces[i]))) return false;
  }
  for (const i of changed) {
    if (i % 2 === 0) { nodes[i].data = unescaped(pieces[i]); continue; }
    const before = [...old[i].matchAll(VALUES)];
    [...pieces[i].matchAll(VALUES)].forEach(([, name, value], j) => {
      if (value !== before[j][2]) nodes[i].setAttribute(name, unescaped(value));
    });
  }
  return true;
};

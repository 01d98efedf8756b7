"use strict";
// What is open, and what happens at a key stroke.
let opening = {variant: "", settings: {}, name: ""};
const relight = lights(document.querySelector("main"));

const typed = (text, parts) => {
  state.text = text;
  const shown = recompute(parts);
  changed();
  return shown;
};
const changed = () => {
  const isChanged = state.text !== state.saved;
  document.title = `${isChanged ? "• " : ""}${state.name} · archcalc edit`;
  status(`${state.file || `${state.name}, no file`}${isChanged ? " · not saved" : ""}`);
  $("save").title = state.file ? "Save (Ctrl-S)" : "Download the text (Ctrl-S)";
};

async function recompute(parts = ask("answer", question())) {
  const number = ++state.number;
  performance.mark("asked", {detail: number});
  await trying(async () => {
    for await (const part of parts) {
      if (number !== state.number) return;
      SHOWN[part.part](part);
      performance.mark(part.part, {detail: number});
    }
    if (number === state.number) document.body.dataset.answered = number;
  });
}
const SHOWN = {
  mistakes: ({mistakes}) => {
    if (!base && isOrigin()) opening.wrong = true;
    showMistakes(mistakes);
    if (!$("mistakes").offsetParent) status(sentence(mistakes[0]), true);  // the text is behind another tab
  },
  totals: part => {
    const field = last?.totals.field;
    last = part;
    last.totals.field = field;
    if (!base && (opening.wrong || isOrigin())) {
      base = part;
      origin = {text: state.text, variant: state.variant, settings: {...state.settings}};
    }
    Object.assign(words, part.words, {variables: part.variables});
    if ($("mistakes").firstChild) { showMistakes([]); changed(); }
    $("title").textContent = part.title;
    showTotals();
    showControls(part);
  },
  drawn: part => {
    last.totals.field = part.field;
    if (isOrigin()) takeBase(part); else if (baseFold !== foldNow()) trying(askBase);
    showTotals();
    showAlive(part);
    showRows(seen = part.rows);
    showPicture(part.svg);
    $("remark").textContent = part.remark;
    relight();
  },
};

// A text becomes the one that is open; its own totals are the base.
async function load(opened, settings, variant, parts) {
  state.number++;  // answers to the text before are late
  Object.assign(state, {name: opened.name, file: opened.file, version: opened.version, saved: opened.text});
  opening = {variant: opened.variant, settings: opened.settings, name: opened.name};
  Object.assign(state, {variant: variant ?? opened.variant, settings: settings ?? {...opened.settings}});
  state.expand.clear();
  state.close.clear();
  base = null;
  baseRows = new Map();
  baseSums = new Map();
  digits = {};
  baseFold = "";
  origin = {text: opened.text, variant: opened.variant, settings: {}};
  current = "";
  zoom = 0;
  state.text = opened.text;
  const bare = async () => {
    const own = question({...origin, bare: true, page: `${state.page} base`});
    for await (const part of ask("answer", own)) if (part.part === "totals") base = part;
    opening.wrong = !base;
  };
  if (!isOrigin()) {
    await bare();
    if (base) showControls(base);  // a setting of a link that does not fit can be undone
  }
  openText(opened.text);
  const shown = typed(opened.text, parts), own = opening;
  trying(async () => {
    await shown;
    room = null;
    if (Math.abs(state.wide - shapeOf()) > .11) recompute();  // another place than was expected
    if (!base && !opening.wrong && own === opening) {
      await bare();  // somebody has typed before the first answer came
      if (last) showTotals();
    }
    if (!state.operators.length) ({operators: state.operators} = await one("operators", {}));
  });
}

const readLink = () => {
  const told = fromLink();
  $("by").value = state.by;
  return told;
};
async function start(parts) {
  const {net, settings, variant} = readLink();
  const opened = parts ? (await begun).value : await one("opened", {});
  if (opened.part === "mistakes") throw new Error(sentence(opened.mistakes[0]));
  await load(net ? await one("bundled", {name: net}) : opened, settings, variant, parts);
  opening.bundled = Boolean(net);
}

// Another link in the same tab loads no page. A text that is not saved stays.
addEventListener("hashchange", () => trying(async () => {
  if (state.text === state.saved) return start();
  const {settings, variant} = readLink();
  Object.assign(state, {settings: settings ?? {}, variant: variant ?? opening.variant});
  recompute();
}));
const linked = () => {
  const link = new URLSearchParams();
  if (!state.file && opening.bundled) link.set("net", state.name);
  if (state.variant !== opening.variant) link.set("variant", state.variant);
  for (const [name, value] of Object.entries(state.settings)) link.set(`set.${name}`, value);
  if (!Object.keys(state.settings).length && Object.keys(opening.settings).length) link.set("set", "");
  if (state.by !== "multiplies") link.set("by", state.by);
  clearTimeout(linked.waiting);
  linked.waiting = setTimeout(() => history.replaceState(null, "", `${root}${[...link].length ? `#${link}` : ""}`), 200);
  return `${location.origin}${root}${[...link].length ? `#${link}` : ""}`;
};

// What is seen but not in the text.
const unwritten = () => {
  const count = Object.keys(state.settings).length;
  return count ? `; ${count} ${count === 1 ? "setting is" : "settings are"} not in the text: w writes ${count === 1 ? "it" : "them"}` : "";
};

let saving = Promise.resolve();  // one after another: each is told the version that the one before it made
const save = () => saving = saving.catch(() => {}).then(async () => {
  if (!editor) return;
  const text = state.text;
  let told = "";
  if (state.file) ({version: state.version} = await one("save", {text, version: state.version}));
  else told = await exportAs("toml");
  state.saved = text;
  changed();
  status(told || `${state.file} · saved${unwritten() || (state.variant && `; this network is ${ownName()}`)}`);
});

async function exportAs(form) {
  const {text, suffix} = await one("export", question({form}));
  const name = (state.variant || state.name).replace(/^.*[\\/]/, "").replace(/\.toml$/, "").replace(/[^\w.-]+/g, "_") || "net";
  const url = URL.createObjectURL(new Blob([text], {type: "text/plain"}));
  const link = element("a", {href: url, download: name + suffix});
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  const told = `${name}${suffix} · downloaded${form === "toml" ? unwritten() : ""}`;
  status(told);
  return told;
}

async function copy(text, what) {
  await navigator.clipboard.writeText(text);
  status(`${what} · copied`);
}

const quote = word => /^[\w.,:=/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
// What commands call the network that is shown, once it is saved: a variant has its file before it.
const ownName = () => quote(state.variant ? `${state.file}:${state.variant}` : state.file);
const commandLine = () => {
  const name = state.file ? ownName() : quote(opening.bundled || !state.name.endsWith(".toml") ? state.variant || state.name : state.name);
  const sets = Object.entries(state.settings).map(([key, value]) => `--${key} ${quote(value)}`);
  return ["archcalc edit", name, ...sets].join(" ");
};

$("save").addEventListener("click", () => trying(save));
for (const button of document.querySelectorAll("[data-form]")) {
  button.addEventListener("click", () => { $("exports").hidePopover(); trying(() => exportAs(button.dataset.form)); });
}
$("link").addEventListener("click", () => { $("exports").hidePopover(); trying(() => copy(linked(), "link")); });
$("command").addEventListener("click", () => { $("exports").hidePopover(); trying(() => copy(commandLine(), commandLine())); });

// Arrows in the menu.
$("exports").addEventListener("keydown", event => {
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key], items = [...$("exports").children];
  if (!step) return;
  event.preventDefault();
  items[(items.indexOf(event.target) + step + items.length) % items.length].focus();
});

// Open: names and titles that hold what is typed.
let networks = [], marked = 0;
const listFound = () => {
  const wanted = $("wanted").value.trim().toLowerCase();
  const found = networks.filter(entry => entry.join(" ").toLowerCase().includes(wanted)).slice(0, 300);
  marked = Math.max(0, Math.min(marked, found.length - 1));
  $("found").replaceChildren(...found.map(([name, title], i) => {
    const item = element("li", {id: `found-${i}`, role: "option", "aria-selected": String(i === marked)}, element("b", {textContent: name}), element("span", {textContent: title}));
    item.addEventListener("click", () => openBundled(name));
    return item;
  }));
  $("wanted").setAttribute("aria-activedescendant", found.length ? `found-${marked}` : "");
  $("found").children[marked]?.scrollIntoView({block: "nearest"});
  return found;
};
const openBundled = name => trying(async () => {
  $("opening").close();
  const opened = await one("bundled", {name});
  await load(opened);
  opening.bundled = true;
  linked();
});
const openDialog = () => trying(async () => {
  $("wanted").value = "";
  marked = 0;
  $("opening").showModal();
  if (!networks.length) networks = (await one("bundled", {})).networks;
  listFound();
});
$("open").addEventListener("click", openDialog);
$("leave").addEventListener("click", () => $("opening").close());
$("own").addEventListener("click", () => { $("opening").close(); trying(async () => load(await one("opened", {}))); });
$("wanted").addEventListener("input", () => { marked = 0; listFound(); });
$("wanted").addEventListener("keydown", event => {
  const found = listFound();
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    marked += event.key === "ArrowDown" ? 1 : -1;
    listFound();
    event.preventDefault();
  } else if (event.key === "Enter" && found[marked]) openBundled(found[marked][0]);
});
$("file").addEventListener("change", () => trying(async () => {
  const [file] = $("file").files;
  $("opening").close();
  $("file").value = "";  // the same may be chosen again
  if (/\.(pt2|pte|pth?|onnx|keras|h5|tflite|safetensors)$/i.test(file.name)) {
    throw new Error(`${file.name} is a model, no text: archcalc edit ${quote(file.name)} -o mine.toml opens it as layers`);
  }
  const text = (await file.text()).replaceAll("\r\n", "\n");
  await load({name: file.name, text, variant: "", settings: {}, file: "", version: ""});
}));

// Tabs of a narrow window.
const tabs = [...document.querySelectorAll("[role=tab]")];
const showTab = tab => {
  for (const other of tabs) { other.setAttribute("aria-selected", String(other === tab)); other.tabIndex = other === tab ? 0 : -1; }
  document.querySelector("main").dataset.tab = tab.dataset.tab;
  reshape();
};
// The picture's place has another shape: what it is drawn for.
const reshape = () => {
  room = null;
  resize();
  if (svg && $("picture").offsetParent && state.wide !== shapeOf()) recompute();
};
let resizing = 0;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(reshape, 200); });
tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => showTab(tab));
  tab.addEventListener("keydown", event => {
    const step = {ArrowRight: 1, ArrowLeft: tabs.length - 1}[event.key];
    if (!step) return;
    const next = tabs[(i + step) % tabs.length];
    showTab(next);
    next.focus();
  });
});
const inTab = name => { const tab = tabs.find(tab => tab.dataset.tab === name); if (tab.getAttribute("aria-selected") !== "true") showTab(tab); };

// Keys of the whole page.
const leaveEditor = () => {
  inTab("drawn");
  goTo(boxOf(current) ?? leaves()[0]);
  trying(toBox);
};
const KEYS = {
  "/": () => { inTab("drawn"); $("search").focus(); $("search").select(); },
  e: () => { inTab("text"); editor?.focus(); },
  s: () => { inTab("settings"); $("controls").querySelector("input, select")?.focus(); },
  o: openDialog,
  d: () => { $("exports").showPopover(); $("exports").firstElementChild.focus(); },
  w: () => trying(writeSettings),
  "+": () => zoomed(1.25), "-": () => zoomed(1 / 1.25), 0: () => zoomed(0),
  "?": () => $("help").togglePopover(),
};
addEventListener("keydown", event => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    if (!event.repeat) trying(save);
  } else if (!event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key] && !event.target.closest("input, select, dialog, .cm-editor, [popover]")) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
addEventListener("beforeunload", event => { if (state.text !== state.saved) event.preventDefault(); });
trying(() => start(beginning));

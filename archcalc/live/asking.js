"use strict";
// Questions to the server: each answer comes as lines of JSON, part by part.
const $ = id => document.getElementById(id);
const root = location.pathname;
const state = {
  page: crypto.randomUUID(), number: 0, name: "net.toml", text: "", variant: "", settings: {},
  expand: new Set(), close: new Set(), by: "multiplies", file: "", version: "", saved: "", operators: [],
};

const ended = () => { throw new Error("the server has ended: start it again, or save this text as a file of yours"); };
async function* ask(what, body) {
  const headers = {"Content-Type": "application/json"};
  const response = await fetch(root + what, {method: "POST", headers, body: JSON.stringify(body)}).catch(ended);
  if (!response.ok) throw new Error(await response.text());
  const reader = response.body.getReader(), decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const {value, done} = await reader.read().catch(ended);
    if (done) return;
    const lines = (rest + decoder.decode(value, {stream: true})).split("\n");
    rest = lines.pop();
    for (const line of lines) yield JSON.parse(line);
  }
}

// What the styles leave to the picture in a wide window, in pixels: until it is laid out, that is its place.
const laid = pixels => Math.floor(64 * pixels) / 64;  // as browsers do
const expected = () => innerWidth < 1024 ? null : {
  width: innerWidth - laid(Math.max(280, .27 * innerWidth)) - laid(Math.max(322, .26 * innerWidth)) - 2,
  height: innerHeight - 82.6875,
};
let room = expected();
// It is measured when it changes: at a key stroke the browser would lay out the page for it.
const measured = () => room ??= $("picture")?.getBoundingClientRect() ?? null;
// Its width to its height; those of the window where it is hidden.
const shapeOf = () => {
  const {width, height} = measured() ?? {};
  const shape = width && height ? width / height : innerWidth / (.7 * innerHeight);
  return innerWidth < 600 ? .3 : Math.min(4, Math.max(.3, Math.round(shape * 10) / 10));  // one column is read by scrolling
};
const question = more => ({
  page: state.page, number: state.number, name: state.name, text: state.text, variant: state.variant,
  settings: state.settings, expand: [...state.expand], close: [...state.close], by: state.by, wide: state.wide = shapeOf(), ...more,
});

// The only part of an answer that has one; what it refuses is thrown.
async function one(what, body) {
  for await (const part of ask(what, body)) {
    if (part.part === "mistakes") throw new Error(sentence(part.mistakes[0]));
    return part;
  }
  throw new Error("no answer");
}

const sentence = ({message, help}) => help ? `${message}; ${help}` : message;

const status = (text, wrong = false) => {
  $("status").textContent = text;
  $("status").classList.toggle("wrong", wrong);
};

// Runs what may fail; the reason stands in the header.
const trying = work => work().catch(error => status(error.message, true));

const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made && key !== "list" && key !== "form") made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};
const drawnElement = (name, attributes = {}, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const grouped = text => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
const SCALES = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "K"]];
const scaled = (value, digits = 3) => {
  const [scale, letter] = SCALES.find(([scale]) => Math.abs(value) >= scale) ?? [1, ""];
  return `${Number((value / scale).toPrecision(digits))}${letter && ` ${letter}`}`;
};
// Two ends of an axis, with as many digits as it takes to tell them apart.
const scaledEnds = (low, high) => {
  const digits = low === high ? 3 : [3, 4, 5, 6, 9, 15].find(count => scaled(low, count) !== scaled(high, count)) ?? 15;
  return [scaled(low, digits), scaled(high, digits)];
};

// The address carries the settings; `set=`: there are none, whatever the command was given.
const fromLink = () => {
  const link = new URLSearchParams(location.hash.slice(1));
  const settings = [...link].filter(([key]) => key.startsWith("set.")).map(([key, value]) => [key.slice(4), value]);
  state.by = ["params", "alive", "field"].find(by => by === link.get("by")) ?? "multiplies";
  const told = settings.length || link.has("set") ? Object.fromEntries(settings) : undefined;
  return {net: link.get("net"), settings: told, variant: link.get("variant") ?? undefined};
};
// The first question is on its way before the page is read.
const beginning = fromLink().net ? undefined : ask("begin", question({...fromLink()}));
const begun = beginning?.next();
begun?.catch(() => {});  // `start` tells

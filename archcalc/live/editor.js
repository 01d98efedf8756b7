"use strict";
// The text: TOML in CodeMirror, with words completed, told when pointed at, and mistakes underlined.
const words = {blocks: {}, labels: [], variables: []};

const told = word => {
  const operator = state.operators.find(([name]) => name === word);
  if (operator) return {usage: operator[1], help: operator[2], each: operator[3]};
  if (Object.hasOwn(words.blocks, word)) return {usage: words.blocks[word], help: "a block of this text"};
  const variable = words.variables.find(({name}) => name === word);
  return variable && {usage: `${word} = ${variable.value}`, help: variable.help || "a variable of this text"};
};

// What a word means, with a row an argument.
const toldRows = each => each?.length ? [element("dl", {}, ...each.flatMap(([name, help]) =>
  [element("dt", {textContent: name}), element("dd", {textContent: help})]))] : [];
const toldBox = ({usage, help, each}) => element("div", {className: "told"}, element("b", {textContent: usage}), help, ...toldRows(each));

const complete = context => {
  const word = context.matchBefore(/[@\w]*/);
  if (!editor.hasFocus || word.from === word.to && !context.explicit) return null;  // what was typed last may have been left
  const before = context.state.doc.lineAt(word.from).text.slice(0, word.from - context.state.doc.lineAt(word.from).from);
  const option = (label, type, detail, help, each) => ({label, type, detail, info: help ? () => element("div", {className: "told"}, help, ...toldRows(each)) : undefined});
  const variables = words.variables.map(v => option(v.name, "variable", v.value, v.help));
  if (before.lastIndexOf("{") > before.lastIndexOf("}")) return {from: word.from, options: variables};
  if (word.text.startsWith("@")) return {from: word.from, options: words.labels.map(label => option(`@${label}`, "property"))};
  if (!context.explicit && (before.split('"').length + before.split("'").length) % 2 === 0) return null;
  return {from: word.from, options: [
    ...state.operators.map(([name, usage, help, each]) => option(name, "function", usage.slice(name.length + 1), help, each)),
    ...Object.entries(words.blocks).map(([name, usage]) => option(name, "class", usage.slice(name.length + 1))),
  ]};
};

const hover = CM.hoverTooltip((view, at) => {
  const line = view.state.doc.lineAt(at);
  const before = line.text.slice(0, at - line.from).match(/[\w]*$/)[0];
  const after = line.text.slice(at - line.from).match(/^[\w]*/)[0];
  const found = before + after && told(before + after);
  if (!found) return null;
  return {pos: at - before.length, end: at + after.length, create: () => ({dom: toldBox(found)})};
});

const {tags} = CM;
const colors = CM.HighlightStyle.define([
  {tag: [tags.propertyName, tags.definition(tags.variableName), tags.atom], class: "tok-key"},
  {tag: tags.string, class: "tok-text"}, {tag: [tags.number, tags.bool], class: "tok-number"},
  {tag: tags.comment, class: "tok-comment"},
]);

const EXTENSIONS = [
  CM.EditorState.lineSeparator.of("\n"),
  CM.EditorView.cspNonce.of(document.querySelector("meta[name=nonce]").content),
  CM.EditorView.contentAttributes.of({"aria-label": "Text of the network", spellcheck: "false"}),
  CM.lineNumbers(), CM.history(), CM.drawSelection(), CM.highlightActiveLine(), CM.bracketMatching(),
  CM.closeBrackets(), CM.StreamLanguage.define(CM.toml), CM.syntaxHighlighting(colors),
  CM.autocompletion({override: [complete], icons: false}), hover,
  CM.keymap.of([
    ...CM.closeBracketsKeymap, ...CM.completionKeymap, ...CM.lintKeymap, ...CM.searchKeymap,
    ...CM.historyKeymap, {key: "Escape", run: () => { leaveEditor(); return true; }}, ...CM.defaultKeymap,
  ]),
];
document.querySelector("meta[name=nonce]").remove();
// The question is on its way while the editor draws what was typed.
const dispatchTransactions = (made, view) => {
  if (made.some(({docChanged}) => docChanged)) typed(made.at(-1).newDoc.toString());
  view.update(made);
};
let editor = null;
// A text as it was opened: there is nothing yet that Ctrl-Z could take back.
const openText = text => {
  const state = CM.EditorState.create({doc: text, extensions: EXTENSIONS});
  if (editor) editor.setState(state); else editor = new CM.EditorView({parent: $("editor"), state, dispatchTransactions});
};

const placeOf = ({place}) => {
  const end = editor.state.doc.length;
  return place && {from: Math.min(place[0], end), to: Math.min(place[1], end)};
};

const showMistakes = mistakes => {
  const placed = mistakes.filter(found => found.place).map(found => ({
    ...placeOf(found), severity: "error", message: sentence(found),
    renderMessage: () => element("div", {}, found.message, ...(found.help ? [element("span", {className: "help", textContent: found.help})] : [])),
  }));
  editor.dispatch(CM.setDiagnostics(editor.state, placed));
  $("mistakes").replaceChildren(...mistakes.map(found => {
    const lines = [found.label, ...found.notes].filter(Boolean).map(note => element("span", {className: "note", textContent: note}));
    const help = found.help ? [element("span", {className: "help", textContent: found.help})] : [];
    const button = element("button", {type: "button"}, element("b", {textContent: found.message}), ...lines, ...help);
    button.addEventListener("click", () => {
      const place = placeOf(found);
      if (place) editor.dispatch({selection: {anchor: place.from, head: place.to}, scrollIntoView: true});
      editor.focus();
    });
    return element("li", {}, button);
  }));
  document.body.classList.toggle("pale", mistakes.length > 0);
};

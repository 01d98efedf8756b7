// What the page takes of CodeMirror: rebuild.py makes codemirror.js of it.
export {EditorState, EditorSelection, StateEffect, StateField, Compartment, Prec, Annotation} from "@codemirror/state";
export {EditorView, keymap, drawSelection, highlightActiveLine, lineNumbers, hoverTooltip, Decoration, highlightSpecialChars, tooltips} from "@codemirror/view";
export {defaultKeymap, history, historyKeymap} from "@codemirror/commands";
export {StreamLanguage, HighlightStyle, syntaxHighlighting, bracketMatching} from "@codemirror/language";
export {autocompletion, completionKeymap, closeBrackets, closeBracketsKeymap, startCompletion, completionStatus} from "@codemirror/autocomplete";
export {setDiagnostics, lintKeymap, forEachDiagnostic} from "@codemirror/lint";
export {searchKeymap, highlightSelectionMatches} from "@codemirror/search";
export {toml} from "@codemirror/legacy-modes/mode/toml";
export {tags} from "@lezer/highlight";

"use strict";
// What stands for the same layers lights up together, within one network.
const numbers = text => {
  const found = new Set();
  for (const part of text.split(" ").filter(Boolean)) {
    const [first, last = first] = part.split("-").map(Number);
    for (let i = first; i <= last; i++) found.add(i);
  }
  return found;
};
// Returns what must be called when the marks within have been exchanged.
const lights = article => {
  let of = null;
  const gathered = () => of ??= new Map([...article.querySelectorAll("[data-layers]")]
    .map(element => [element, numbers(element.dataset.layers)])
    .filter(([, layers]) => layers.size));
  const within = (few, many) => few.size <= many.size && [...few].every(i => many.has(i));
  const dark = () => { for (const element of gathered().keys()) element.classList.remove("lit"); };
  const light = event => {
    const own = event.target.closest("[data-layers]");
    dark();
    const chosen = gathered().get(own);
    if (!chosen) return;
    for (const [element, layers] of gathered()) {
      const wider = !element.classList.contains("frame") && within(chosen, layers);
      if (element === own || wider || within(layers, chosen)) element.classList.add("lit");
    }
  };
  article.addEventListener("pointerover", light);
  article.addEventListener("focusin", light);
  article.addEventListener("pointerleave", dark);
  return () => { of = null; };
};

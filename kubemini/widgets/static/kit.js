// Small tools: making elements, words for numbers, measures of text, what stays on this device, keys and focus.
export const NS = "http://www.w3.org/2000/svg";
export const SECOND = 1e6;
export const MARKS = {
  ok: "●",
  slow: "…",
  waiting: "…",
  failed: "✕",
  unknown: "?",
  warn: "▲",
  bad: "✕",
};

// ---- small tools -------------------------------------------------------------------------------------------
export function fill(e, props, kids) {
  for (const [k, v] of Object.entries(props || {})) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (v === true) e.setAttribute(k, "");
    else if (v !== false && v != null) e.setAttribute(k, v);
  }
  e.append(...kids.flat().filter((x) => x != null && x !== false));
  return e;
}
export const h = (tag, props, ...kids) => fill(document.createElement(tag), props, kids);
export const s = (tag, props, ...kids) => fill(document.createElementNS(NS, tag), props, kids);
export const button = (text, onclick, props) =>
  h("button", { type: "button", class: "km-b", onclick, ...props }, text);
/** Set one attribute (or "text") only if it changes: playing touches the page as little as possible. */
export function put(e, name, value) {
  const seen = (e.kmSeen ||= {});
  if (seen[name] === value) return;
  seen[name] = value;
  if (name === "text") e.textContent = value;
  else if (value == null || value === false) e.removeAttribute(name);
  else e.setAttribute(name, value);
}
export const seconds = (us, digits = 2) => (us / SECOND).toFixed(digits);
export const bytes = (n) =>
  n >= 1048576 ? `${+(n / 1048576).toFixed(1)} MiB` : `${Math.round(n / 1024)} KiB`;
export const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;
/** Microseconds in "12s", "200ms", "2m" or a number of seconds, as scenarios write instants. */
export function instant(v) {
  const [, n, unit] = /^\s*([\d.]+)\s*(us|ms|s|m|h)?\s*$/.exec(String(v)) || [0, 0, "s"];
  return Math.round(
    n * { us: 1, ms: 1000, s: SECOND, m: 60 * SECOND, h: 3600 * SECOND }[unit || "s"],
  );
}
/** A list without what has come before, in its order. */
export const uniq = (list) => [...new Set(list)];
export const clamp = (x, lo, hi) => Math.min(hi, Math.max(lo, x));
/** How many leading items of a sorted list have at(item) <= t. */
export function upto(list, t, at = (x) => x) {
  let lo = 0,
    hi = list.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (at(list[mid]) <= t) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
export let pen = null;
export const widths = new Map();
/** How wide *text* is at *size* px, measured where there is a canvas. */
export function width(text, size = 12) {
  let w = widths.get(text);
  if (w === undefined) {
    pen ||= document.createElement("canvas").getContext("2d") || {
      measureText: (x) => ({ width: x.length * 6.8 }),
    };
    pen.font = '12px system-ui, "Segoe UI", Roboto, sans-serif';
    widths.set(text, (w = pen.measureText(text).width));
  }
  return (w * size) / 12;
}
/** The first wording that fits into *room* pixels, else the last. */
export const fit = (room, size, ...words) =>
  words.find((w) => width(w, size) <= room) ?? words[words.length - 1];
export const storage = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem("kubemini." + key));
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem("kubemini." + key, JSON.stringify(value));
    } catch {
      /* private mode: not kept */
    }
  },
};

/** Keys pressed inside *root* are the widget's, known or not. JupyterLab looks for its shortcuts before the widget
 * hears of a key, and spares only an element that says so itself: so whatever has the focus says so. */
export function keepKeys(root) {
  root.addEventListener("focusin", (ev) =>
    ev.target.setAttribute("data-lm-suppress-shortcuts", "true"),
  );
  root.addEventListener("keydown", (ev) => {
    if (ev.key === "Escape" && !ev.defaultPrevented) leave(root);
    ev.stopPropagation();
  });
}
/** The focus goes back to what the widget stands in: the notebook's cell, else the page. */
export function leave(root) {
  const around = root.parentElement.closest("[tabindex]");
  document.activeElement.blur();
  if (around) around.focus({ preventScroll: true });
}
/** Do *work*; if it took away what had the focus, *root* has it. */
export function keepFocus(root, work) {
  const had = root.contains(document.activeElement);
  work();
  if (had && !root.contains(document.activeElement)) root.focus({ preventScroll: true });
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    /* file:// or no permission */
  }
  const held = document.activeElement,
    box = h("textarea", { style: "position:fixed;opacity:0" });
  box.value = text;
  document.body.append(box);
  box.select();
  let ok = false;
  try {
    ok = document.execCommand("copy");
  } catch {
    /* then it is shown instead */
  }
  box.remove();
  held.focus({ preventScroll: true });
  return ok;
}

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];
/** Show or hide *box*, whose button is *b*; whether it is shown now. */
export function toggle(box, b) {
  box.hidden = !box.hidden;
  b.setAttribute("aria-expanded", String(!box.hidden));
  return !box.hidden;
}
/** The button called *text* that shows and hides *box*, which has the focus while it is shown. */
export function opener(text, box) {
  const show = () => {
    if (toggle(box, b)) box.focus();
  };
  const b = button(text, show, { "aria-expanded": "false" });
  return b;
}
/** Where a widget's table stands, hidden at first, and its button. */
export function tableBox(label) {
  const box = h("div", {
    class: "km-table",
    hidden: true,
    role: "group",
    "aria-label": label,
    tabindex: "0",
  });
  return [box, opener("Table", box)];
}
/** What stands above every picture, to be filled in: the sentence, what explains it, and what is read out. */
export const headings = () => ({
  head: h("b", { class: "km-head" }),
  second: h("span", { class: "km-second" }),
  voice: h("p", { class: "km-sr", "aria-live": "polite" }),
});
/** The sentences above a picture: the first, what explains it, and where there is time, when that is. */
export const sentences = (head, second, when) =>
  h(
    "div",
    { class: "km-say" },
    h("div", { class: "km-true" }, h("p", { class: "km-now-line" }, head), second),
    when,
  );
/** What was written of a widget where it stands. */
export const captionOf = (model) => h("p", { class: "km-cap" }, model.get("caption") || "");
/** What a widget without a player stands in: found by its *name*, called *label* where it is read out. */
export const shell = (name, label, ...kids) =>
  h(
    "div",
    { class: `km km-${name} km-thin`, role: "group", "aria-label": label, tabindex: "-1" },
    ...kids,
  );
/** A prefix for ids that nothing else on the page has. */
export const uid = () => "km" + Math.random().toString(36).slice(2, 8);
/** Put *root* into *el*: keys pressed in it are its own, it is told what the model says (*hears*: event to function),
 * and *resized* when it has other room. Answers how to be told no more. */
export function attach(el, root, model, hears = {}, resized = null) {
  el.append(root);
  keepKeys(root);
  for (const [what, f] of Object.entries(hears)) model.on(what, f);
  const watch = resized && window.ResizeObserver ? new ResizeObserver(resized) : null;
  if (watch) watch.observe(root);
  return () => {
    if (watch) watch.disconnect();
    for (const [what, f] of Object.entries(hears)) model.off(what, f);
  };
}
/** A slider with its label and what it says now. */
export function knob(id, label, props) {
  const out = h("output", { for: id }),
    input = h("input", { type: "range", id, step: 1, ...props });
  const node = h(
    "div",
    { class: "km-knob" },
    h("div", {}, h("label", { for: id }, label), " ", out),
    input,
  );
  return { input, out, node };
}
/** The head of a table: what each of its columns holds. */
export const columns = (names) =>
  h(
    "thead",
    {},
    h(
      "tr",
      {},
      names.map((name) => h("th", { scope: "col" }, name)),
    ),
  );
/** A table of texts with a caption: the same as a picture, for who reads it. */
export function textTable(caption, head, rows) {
  return h(
    "table",
    {},
    h("caption", {}, caption),
    columns(head),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          { class: "km-past" },
          row.map((x) => h("td", {}, String(x))),
        ),
      ),
    ),
  );
}

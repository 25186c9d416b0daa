// Two sheets with the same rows: what the store says of each object, and what the controller's cache says of it.
import { h, plural, put } from "../kit.js";

const VERDICTS = {
  same: ["=", "the same"],
  old: ["≠", "it has changed since"],
  new: ["?", "not known yet"],
  gone: ["≠", "it is no more"],
};

export class Sheets {
  constructor(pickStore, pickCache) {
    this.ofStore = sheet("store", "The store", pickStore);
    this.ofCache = sheet("cache", "Its cache", pickCache);
    this.store = this.ofStore.node;
    this.cache = this.ofCache.node;
  }

  setRun(loop, store) {
    const rows = loop.moments.map((m) => loop.parts[m[2]].length);
    this.most = Math.max(1, ...rows);
    this.program = loop.program;
    this.api = store;
    this.drawn = "";
    for (const [name, one] of [
      [store, this.ofStore],
      [loop.program, this.ofCache],
    ]) {
      put(one.head, "data-name", name);
      put(one.sub, "text", name === store ? `kept by ${name}` : `what ${name} knows`);
      one.node.style.setProperty("--rows", this.most);
    }
  }

  draw({ rows, heard }, sel) {
    put(this.ofStore.head, "aria-pressed", String(sel === this.api));
    put(this.ofCache.head, "aria-pressed", String(sel === this.program));
    const key = JSON.stringify([rows, heard.length]);
    if (key === this.drawn) return;
    this.drawn = key;
    const differ = rows.filter((row) => row[4] !== "same").length;
    put(
      this.ofStore.head,
      "aria-label",
      `The store: ${plural(rows.filter((r) => r[2]).length, "object")}`,
    );
    put(
      this.ofCache.head,
      "aria-label",
      heard.length
        ? `Its cache: ${differ ? `${plural(differ, "object")} not as in the store` : "as the store"}`
        : "Its cache: there is none",
    );
    this.ofStore.list.replaceChildren(...rows.map((row) => line(row, row[2], "")));
    this.ofCache.list.replaceChildren(
      ...(heard.length ? rows.map((row) => line(row, row[3], row[4])) : [none()]),
    );
  }
}

function sheet(name, title, pick) {
  const head = h("button", { type: "button", class: "km-loop-title", onclick: pick }, title),
    sub = h("span", { class: "km-loop-sub" }),
    list = h("ul", { class: "km-loop-rows" }),
    card = `km-loop-card km-loop-${name}`;
  return { head, sub, list, node: h("section", { class: card }, h("header", {}, head, sub), list) };
}

const none = () =>
  h(
    "li",
    { class: "km-loop-empty" },
    h("span", {}, "nothing: a cache is memory, and begins empty"),
  );

/** An object and what is said of it; an empty line where this side has none. */
function line([kind, name], words, verdict) {
  const cut = name.lastIndexOf("-") + 1,
    differs = verdict && verdict !== "same",
    [mark, means] = VERDICTS[verdict] || ["", ""];
  return h(
    "li",
    { class: `km-loop-${words ? "has" : "not"}${differs ? ` km-loop-is-${verdict}` : ""}` },
    verdict && h("i", { "aria-hidden": "true" }, mark),
    h(
      "span",
      { class: "km-loop-name" },
      h("small", { class: "km-loop-kind" }, kind === "Pod" ? "" : `${kind} `),
      kind === "Pod"
        ? [h("small", { class: "km-loop-stem" }, name.slice(0, cut)), name.slice(cut)]
        : name,
    ),
    h("span", { class: "km-loop-says" }, words || (verdict ? "not in the cache" : "is no more")),
    differs && h("span", { class: "km-sr" }, `, ${means}`),
  );
}

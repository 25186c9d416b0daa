// The chain as a list: a stage a row, with its mark, and a dot that travels down while a request walks. Before a
// prediction the rows are choices of which the reader takes one; afterwards each opens what happened there.
import { button, h, put } from "../kit.js";

export const MARKS = {
  passed: "✓",
  changed: "±",
  refused: "✕",
  answered: "●",
  idle: "–",
  unreached: "",
  unknown: "",
};
export const WORDS = {
  passed: "passed",
  changed: "changed",
  refused: "refused",
  answered: "answered",
  idle: "nothing to do",
  unreached: "not reached",
  unknown: "not yet known",
};
const GROUPS = { 0: "every request", decode: "every write", store: "the end" };

export class Chain {
  constructor(uid, onPick, onGuess) {
    Object.assign(this, { uid, onPick, onGuess, rows: [] });
    this.list = h("ol", { class: "km-req-rows" });
    this.token = h("i", { class: "km-req-token", "aria-hidden": "true", hidden: true });
    this.node = h("div", { class: "km-req-chain" }, this.token, this.list);
    this.list.addEventListener("keydown", (ev) => this.key(ev));
  }

  /** The rows of *stages*: choices if *guessing*. */
  build(stages, guessing, guess) {
    this.rows = stages.map((one, i) => this.row(one, i, guessing, guess));
    this.list.replaceChildren(...this.rows.map((row) => row.node));
    put(this.node, "role", guessing ? "radiogroup" : "group");
    put(this.node, "aria-label", guessing ? "the stage where it ends" : "the stages of the chain");
    put(this.token, "hidden", true);
  }

  row(one, i, guessing, guess) {
    const mark = h("i", { class: "km-req-mark", "aria-hidden": "true" });
    const word = h("span", { class: "km-sr" });
    const brief = h("span", { class: "km-req-brief" });
    const title = h("span", { class: "km-req-title" }, one.title);
    const flag = h("span", { class: "km-req-flag" });
    const inside = [mark, title, " ", word, flag, brief];
    const press = guessing
      ? this.choice(one, guess, inside)
      : button("", () => this.onPick(i), { class: "km-req-stage" });
    if (!guessing) press.append(...inside);
    const group = i === 0 ? GROUPS[0] : GROUPS[one.stage];
    const node = h(
      "li",
      { class: "km-req-row", "data-stage": one.stage, "data-group": group || null },
      press,
    );
    return { node, press, mark, word, brief, flag };
  }

  choice(one, guess, inside) {
    const input = h("input", {
      type: "radio",
      class: "km-sr",
      name: `${this.uid}-stage`,
      value: one.stage,
      checked: one.stage === guess,
      onchange: () => this.onGuess(one.stage),
    });
    return h("label", { class: "km-req-stage km-req-choice" }, input, inside);
  }

  /** Show what is known: verdicts up to *known*, the row that is *chosen*, the row where the dot is (*now*, or -1). */
  draw(stages, { known, chosen, now, guess }) {
    stages.forEach((one, i) => {
      const row = this.rows[i],
        verdict = i <= known ? one.verdict : "unknown";
      put(row.node, "data-verdict", verdict);
      put(row.node, "data-now", i === now ? "1" : null);
      put(row.mark, "text", MARKS[verdict]);
      put(row.word, "text", `${WORDS[verdict]} `);
      put(row.brief, "text", i <= known ? one.brief : "");
      put(row.flag, "text", guess && one.stage === guess ? "you said" : "");
      if (row.press.localName === "button") {
        put(row.press, "aria-pressed", String(i === chosen));
        put(row.press, "tabindex", i === Math.max(0, chosen) ? "0" : "-1");
      }
    });
    this.place(now);
  }

  /** The dot stands beside the row where the request is. */
  place(now) {
    put(this.token, "hidden", now < 0);
    if (now < 0) return;
    const { mark } = this.rows[now],
      above = this.node.getBoundingClientRect().top;
    const box = mark.getBoundingClientRect();
    this.token.style.transform = `translateY(${box.top + box.height / 2 - above}px)`;
  }

  key(ev) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[ev.key],
      at = this.rows.findIndex((row) => row.press === ev.target);
    if (at < 0 || this.rows[at].press.localName !== "button") return;
    const last = this.rows.length - 1;
    const to = { Home: 0, End: last }[ev.key] ?? (step ? at + step : null);
    if (to === null || to < 0 || to > last) return;
    ev.preventDefault();
    this.onPick(to);
    this.rows[to].press.focus();
  }
}

// The rows of the swim-lanes: one a step, an arrow between two lanes or a mark on one, and a few words beside it.
// A request is a solid line, an answer a dashed one, a watch event a dotted one; what a program does is a diamond.
import { h, put } from "../kit.js";

export const FORMS = {
  request: "request",
  answer: "answer",
  event: "watch event",
  watch: "begins a watch",
  act: "does it itself",
};
const WAIT = 100000; // µs: so long a pause is worth a line
export const ms = (us) => (us / 1000).toFixed(us < 1e5 ? 2 : 1);

/** Where a program stands that there are several of: worker-1. */
const place = (name) => name.split("@")[1] || "";
export const placed = (step) => place(step.programs[0]) || place(step.programs[1]);

export class Rows {
  constructor(lanes, choose) {
    Object.assign(this, { lanes, choose, rows: new Map() });
    this.names = h("div", { class: "km-lane-names", "aria-hidden": "true" });
    this.list = h("ol", { class: "km-lane-list" });
    this.box = h(
      "div",
      { class: "km-lane-box" },
      h("div", { class: "km-lane-top" }, this.names, h("span", { class: "km-lane-key" }, "")),
      this.list,
    );
    this.names.append(...lanes.map((name) => h("span", {}, h("b", {}, name))));
    this.box.style.setProperty("--n", lanes.length);
  }

  /** The rows of *steps* ([number, step]), and the pauses between them. */
  build(steps) {
    this.rows.clear();
    let before = null;
    const kids = steps.flatMap(([number, step]) => {
      const waited = before === null ? 0 : step.at - before;
      before = step.at;
      const row = this.row(number, step);
      this.rows.set(number, row);
      const pause = h("li", { class: "km-lane-wait" }, `${(waited / 1e6).toFixed(2)} s later`);
      return waited >= WAIT ? [pause, row.item] : [row.item];
    });
    this.list.replaceChildren(...kids);
  }

  row(number, step) {
    const label = placed(step) ? `${step.label} · ${placed(step)}` : step.label;
    const node = h(
      "button",
      { type: "button", class: "km-lane-step", onclick: () => this.choose(number) },
      h("span", { class: "km-lane-no" }, String(number + 1)),
      h("span", { class: "km-lane-way", "aria-hidden": "true" }, this.drawn(step)),
      h("span", { class: "km-lane-label" }, label),
      h("span", { class: "km-sr" }, `: ${step.say}`),
    );
    node.dataset.form = step.form;
    node.dataset.step = number + 1;
    return { node, item: h("li", {}, node) };
  }

  /** An arrow from the middle of one lane to that of another; a diamond on a lane. */
  drawn(step) {
    const middle = (lane) => (100 * (lane + 0.5)) / this.lanes.length;
    const [a, b] = [middle(step.from), middle(step.to)];
    if (a === b) return h("i", { class: "km-lane-act", style: `left:${a}%` });
    const left = Math.min(a, b);
    return h("i", {
      class: `km-lane-arrow ${a < b ? "km-lane-right" : "km-lane-left"}`,
      style: `left:${left}%;width:${Math.abs(a - b)}%`,
    });
  }

  /** Which step is looked at, and which one is its reason; what comes later is pale. */
  draw(now, cause) {
    for (const [number, { node }] of this.rows) {
      put(node, "aria-current", number === now ? "step" : null);
      put(node, "tabindex", number === now ? "0" : "-1");
      put(node, "data-when", number > now ? "later" : number === now ? "now" : "past");
      put(node, "data-cause", number === cause ? "1" : null);
    }
    this.reveal(now);
  }

  /** The step that is looked at stands in the upper half of its box; the page does not move. */
  reveal(now) {
    const found = this.rows.get(now);
    if (!found || this.box.scrollHeight <= this.box.clientHeight) return;
    const { item } = found;
    this.box.scrollTop = item.offsetTop - this.box.clientHeight * 0.45;
  }
}

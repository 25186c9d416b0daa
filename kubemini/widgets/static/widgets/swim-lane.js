// Swim-lane: who tells whom, from a trace that was listened to; an arrow a record, each step said in a sentence.
// Model: run {header, programs, lanes: {typed, printed, without, since, lanes: [name], steps: [{at, took, from, to,
// programs, form, label, say, why, cause, rank}]}}, see kubemini/view/lanes; options {own: a reader may
// type another line}.
import { LineForm } from "../lanes/lineform.js";
import { FORMS, Rows, ms, placed } from "../lanes/rows.js";
import {
  attach,
  button,
  captionOf,
  clamp,
  h,
  headings,
  plural,
  put,
  sentences,
  shell,
  tableBox,
  textTable,
  uid,
} from "../kit.js";

const STEP = 1400; // ms that it stands at a step
const NARROW = 700; // px
const RANKS = [
  [2, "What it takes"],
  [1, "All that follows"],
  [0, "All that was sent"],
];

class SwimLane {
  constructor(model, el) {
    const run = model.get("run");
    Object.assign(this, { model, options: model.get("options") || {}, timer: 0, narrow: null });
    this.uid = uid();
    const live = model.get("kernel") !== "recording" || this.options.live !== false;
    this.form = live && this.options.own !== false ? new LineForm(this, run) : null;
    this.parts();
    const hears = this.form ? this.form.errand.hears : {};
    this.detach = attach(el, this.root, model, hears, () => this.fit());
    this.root.addEventListener("keydown", (ev) => this.key(ev));
    this.show(run.lanes);
    this.fit();
  }

  close() {
    clearTimeout(this.timer);
    if (this.form) this.form.errand.close();
    this.detach();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.when = h("span", { class: "km-when" });
    [this.table, this.bTable] = tableBox("The steps as a table");
    this.shell = h("code", { class: "km-lane-shell" });
    this.printed = h("pre", {
      class: "km-lane-printed",
      tabindex: "0",
      "aria-label": "what kubectl prints",
    });
    this.tabs = h("div", { class: "km-lane-tabs", role: "group", "aria-label": "which steps" });
    this.body = h("div", { class: "km-lane-body" });
    this.bPlay = button("▶ Play", () => this.toggle(), { class: "km-b km-main-b km-play" });
    this.bBack = button("◀", () => this.step(-1), { "aria-label": "previous step" });
    this.bNext = button("▶|", () => this.step(1), { "aria-label": "next step" });
    this.bCause = button("Why?", () => this.go(this.steps[this.now].cause), {
      "aria-label": "Why? To the step that it follows from",
    });
    this.range = h("input", {
      type: "range",
      class: "km-range",
      min: 0,
      step: 1,
      "aria-label": "step",
      oninput: () => this.go(this.order[+this.range.value], false),
      onchange: () => this.speak(),
    });
    this.root = this.assembled();
  }

  assembled() {
    const controls = h(
      "div",
      { class: "km-ctl" },
      this.bPlay,
      this.bBack,
      this.bNext,
      this.bCause,
      h("span", { class: "km-sp" }),
      this.bTable,
    );
    return shell(
      "swim-lane",
      "swim-lanes",
      sentences(this.head, this.second, this.when),
      h("div", { class: "km-lane-pick" }, this.shell, this.tabs, this.printed),
      this.body,
      h(
        "div",
        { class: "km-bar" },
        h("div", { class: "km-lane-track" }, this.range),
        controls,
        this.legend(),
      ),
      this.form ? this.form.node : null,
      this.table,
      this.voice,
      captionOf(this.model),
    );
  }

  /** What each form of arrow means. */
  legend() {
    const key = Object.entries(FORMS).filter(([form]) => form !== "watch");
    return h(
      "p",
      { class: "km-lane-legend" },
      key.map(([form, text]) =>
        h(
          "span",
          { "data-form": form },
          h(
            "i",
            { class: "km-lane-sample", "aria-hidden": "true" },
            h("i", { class: form === "act" ? "km-lane-act" : "km-lane-arrow km-lane-right" }),
          ),
          text,
        ),
      ),
    );
  }

  // -- which run, and which of its steps
  show(found) {
    this.stop();
    Object.assign(this, { found, steps: found.steps });
    this.rows = new Rows(found.lanes, (number) => this.go(number));
    this.body.replaceChildren(this.rows.box);
    const gone = found.without ? `   # without ${found.without}` : "";
    this.shell.textContent = found.typed ? `$ kubectl ${found.typed}${gone}` : "what was sent";
    this.printed.textContent = found.printed;
    this.printed.hidden = !found.printed;
    this.now = -1;
    this.pick(RANKS[0][0]);
  }

  pick(rank) {
    this.rank = rank;
    this.order = this.steps.flatMap((step, number) => (step.rank >= rank ? [number] : []));
    this.rows.build(this.order.map((number) => [number, this.steps[number]]));
    put(this.range, "max", this.order.length - 1);
    this.drawTabs();
    this.fillTable();
    const next = this.order.find((number) => number >= this.now);
    this.go(next ?? this.order[this.order.length - 1], false);
  }

  drawTabs() {
    const many = (rank) => this.steps.filter((step) => step.rank >= rank).length;
    const had = this.tabs.contains(document.activeElement) && document.activeElement.dataset.rank;
    const differ = RANKS.filter(([rank], i) => !i || many(rank) > many(RANKS[i - 1][0]));
    this.tabs.replaceChildren(
      ...differ.map(([rank, text]) =>
        button(`${text}: ${many(rank)}`, () => this.pick(rank), {
          class: "km-b km-lane-tab",
          "aria-pressed": String(rank === this.rank),
          "data-rank": String(rank),
        }),
      ),
    );
    if (had) this.tabs.querySelector(`[data-rank="${had}"]`).focus();
  }

  // -- step by step
  /** Look at step *number*; one that is not among those shown brings all that follow with it. */
  go(number, speak = true) {
    if (number == null) return;
    this.now = number;
    if (!this.order.includes(number)) return this.pick(this.steps[number].rank);
    this.draw();
    if (speak) this.speak();
  }

  at() {
    return this.order.indexOf(this.now);
  }

  step(by, speak = true) {
    if (speak) this.stop();
    this.go(this.order[clamp(this.at() + by, 0, this.order.length - 1)], speak);
  }

  toggle() {
    if (this.timer) {
      this.stop();
      return this.draw();
    }
    if (this.at() === this.order.length - 1) this.now = this.order[0];
    this.tick();
  }

  tick() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.step(1, false);
      if (this.at() < this.order.length - 1) return this.tick();
      this.stop();
      this.draw();
    }, STEP);
    this.draw();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  key(ev) {
    const typing = ev.target.closest("input, select, textarea");
    if (typing || ev.ctrlKey || ev.altKey || ev.metaKey) return;
    const by = { ArrowDown: 1, ".": 1, ArrowUp: -1, ",": -1, Home: -1e6, End: 1e6 }[ev.key];
    if (!by || (ev.target.closest(".km-table") && ev.key.length > 1)) return;
    ev.preventDefault();
    const inList = this.rows.box.contains(ev.target);
    this.step(by);
    if (inList) this.rows.rows.get(this.now).node.focus({ preventScroll: true });
  }

  speak() {
    this.voice.textContent = `Step ${this.now + 1}. ${this.head.textContent} ${this.second.textContent}`;
  }

  // -- what is shown
  draw() {
    const step = this.steps[this.now],
      at = this.at();
    put(this.head, "text", step.say);
    put(this.second, "text", step.why);
    const where = placed(step) ? `, ${placed(step)}` : "";
    put(this.when, "text", `step ${this.now + 1} · ${ms(step.at)} ms${where}`);
    put(this.bPlay, "text", this.timer ? "❚❚ Pause" : "▶ Play");
    put(this.bBack, "disabled", at <= 0);
    put(this.bNext, "disabled", at >= this.order.length - 1);
    put(this.bCause, "disabled", step.cause == null);
    this.range.value = at;
    const of = `step ${at + 1} of ${this.order.length}: ${step.say}`;
    put(this.range, "aria-valuetext", of);
    this.rows.draw(this.now, step.cause);
  }

  fillTable() {
    const lanes = this.found.lanes;
    const rows = this.order.map((number) => {
      const step = this.steps[number];
      const way =
        step.from === step.to ? lanes[step.from] : `${lanes[step.from]} → ${lanes[step.to]}`;
      return [number + 1, ms(step.at), way, FORMS[step.form], step.say, step.why];
    });
    const head = ["step", "ms", "who", "what", "what happens", "why"];
    const caption = `${plural(rows.length, "step")}, from the moment the line is typed`;
    this.table.replaceChildren(textTable(caption, head, rows));
  }

  // -- room
  fit() {
    const narrow = this.root.clientWidth < NARROW;
    if (narrow === this.narrow) return;
    this.narrow = narrow;
    this.root.classList.toggle("km-lane-narrow", narrow);
    this.rows.reveal(this.now);
  }
}

function render({ model, el }) {
  const made = new SwimLane(model, el);
  return () => made.close();
}
export default { render };

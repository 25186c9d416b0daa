// Failure stopwatch: a node fails, and one clock shows when its Lease is missed, when it is NotReady and tainted, when
// its pods are given up, and when others are ready in their place; beside it whether the old copies still serve.
// Model: run {header, watches, words, faults, timers, backs}, kernel, caption, options. See kubemini/study/failures.py.
import {
  attach,
  button,
  captionOf,
  columns,
  h,
  headings,
  knob,
  put,
  s,
  sentences,
  shell,
  uid,
} from "../kit.js";
import { Clock } from "../stopwatch/clock.js";
import { Lanes } from "../stopwatch/lanes.js";
import { COPY_MARKS, KINDS, NODE_MARKS, numberOf, sentence, told } from "../stopwatch/reading.js";

const PAUSE = 400; // ms after a slider moved
const LOADS = "Run loads the simulator into this page, once.";

class FailureStopwatch {
  constructor(model, el) {
    const run = model.get("run");
    Object.assign(this, { model, run, options: model.get("options") || {}, mine: null, ids: 0 });
    Object.assign(this, {
      fault: run.watches[0].fault,
      back: run.watches[0].back,
      seed: run.watches[0].seed,
    });
    Object.assign(this, { width: 0, timer: 0, wanted: false });
    this.uid = uid();
    this.parts();
    const hears = { "msg:custom": (m) => this.heard(m), "change:kernel": () => this.onKernel() };
    this.detach = attach(el, this.root, model, hears, () => this.onSize());
    this.knobs.hidden = this.deeds.hidden = this.recorded() && this.options.live === false;
    this.show();
  }

  close() {
    clearTimeout(this.timer);
    this.clock.stop();
    this.detach();
  }

  recorded() {
    return this.model.get("kernel") === "recording";
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.svg = s("svg", { class: "km-svg", role: "img" });
    this.status = h("p", { class: "km-status", role: "status" });
    this.table = h("table", {});
    this.faults = Object.entries(this.run.faults).map(([fault, words]) =>
      button(words, () => this.choose({ fault }), { "data-fault": fault }),
    );
    this.backs = this.run.backs.map((back) =>
      button(told(back).replace(".0", ""), () => this.choose({ back }), { "data-back": back }),
    );
    this.clock = new Clock(this);
    this.sliders = this.run.timers.map((timer) => this.slider(timer));
    this.go = button("", () => this.ask(), { class: "km-b km-main-b" });
    this.luck = button("Other luck", () => this.choose({ seed: this.seed + 1 }));
    this.usual = button("Defaults", () => this.defaults());
    this.knobs = h(
      "div",
      { class: "km-sw-knobs", role: "group", "aria-label": "timers" },
      this.sliders.map((x) => x.node),
    );
    this.deeds = h("div", { class: "km-ctl" }, this.go, this.luck, this.usual, this.status);
    this.root = this.assembled();
  }

  assembled() {
    const group = (label, ...kids) =>
      h(
        "div",
        { class: "km-ctl", role: "group", "aria-label": label },
        h("span", { class: "km-lab" }, label),
        ...kids,
      );
    const table = h(
      "div",
      {
        class: "km-sw-table",
        role: "group",
        "aria-label": "what the stopwatch reads",
        tabindex: "0",
      },
      this.table,
    );
    return shell(
      "failure-stopwatch",
      "failure stopwatch",
      h(
        "div",
        { class: "km-sw-choose" },
        group("worker-2:", this.faults),
        group("it is back after", this.backs),
      ),
      sentences(this.head, this.second),
      h("div", { class: "km-pic" }, this.svg),
      h("div", { class: "km-bar" }, this.clock.node),
      h(
        "div",
        { class: "km-sw-body" },
        h("div", { class: "km-sw-left" }, table, this.deeds),
        this.knobs,
      ),
      this.voice,
      captionOf(this.model),
    );
  }

  slider(timer) {
    const { name, low: min, high: max, step, value } = timer;
    const oninput = () => {
      this.knobWords();
      this.again();
    };
    const label = [
      h("b", { class: "km-sw-tag" }, String(timer.mark)),
      " ",
      h("code", {}, timer.flag),
    ];
    const made = knob(`${this.uid}-${name}`, label, { min, max, step, value, oninput });
    made.node.append(h("small", {}, timer.source));
    return { timer, ...made };
  }

  knobWords() {
    for (const { timer, input, out } of this.sliders) {
      put(out, "text", `${input.value} s`);
      put(input, "aria-valuetext", `${input.value} seconds; by default ${timer.value}`);
    }
    const load = this.recorded() ? ` · ${this.options.size || "6 MB"}` : "";
    put(this.go, "text", `Run with these timers${load}`);
    put(this.usual, "disabled", this.usually());
  }

  /** The timers that are not as by default. */
  values() {
    const moved = this.sliders.filter(({ timer, input }) => +input.value !== timer.value);
    return Object.fromEntries(moved.map(({ timer, input }) => [timer.name, +input.value]));
  }
  usually() {
    return !Object.keys(this.values()).length;
  }

  // -- which run
  /** The one that is shown: the reader's own, or one that is recorded. */
  shown() {
    return (
      this.mine || this.run.watches.find((w) => w.fault === this.fault && w.back === this.back)
    );
  }

  choose(change) {
    Object.assign(this, change);
    this.clock.stop();
    const first = this.run.watches[0];
    if (this.usually() && this.seed === first.seed) this.mine = null;
    else if (!this.recorded() || change.seed !== undefined) return this.ask();
    else this.forget();
    this.show();
  }

  /** Back to what is recorded. */
  forget() {
    Object.assign(this, { mine: null, seed: this.run.watches[0].seed });
    for (const { timer, input } of this.sliders) input.value = timer.value;
  }

  defaults() {
    this.forget();
    this.choose({});
  }

  again() {
    if (this.recorded()) return put(this.status, "text", LOADS);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  ask() {
    if (this.recorded()) {
      this.wanted = true;
      return this.model.send({ op: "golive" });
    }
    this.wanted = false;
    put(this.status, "text", "Simulating…");
    const { fault, back, seed } = this;
    this.model.send({
      op: "stopwatch",
      id: `w${++this.ids}`,
      fault,
      back,
      seed,
      timers: this.values(),
    });
  }

  heard(m) {
    if (m.op === "status" || m.op === "error") put(this.status, "text", m.text || m.error);
    if (m.op !== "stopwatch" || m.id !== `w${this.ids}`) return;
    this.mine = m.watch;
    put(this.status, "text", "");
    this.show();
  }

  onKernel() {
    this.knobWords();
    if (this.recorded()) return;
    put(this.status, "text", "The simulator runs in this page. Move a timer.");
    if (this.wanted) this.ask();
  }

  speak() {
    this.voice.textContent = `${this.head.textContent} ${this.second.textContent}`;
  }

  // -- drawing
  fitting() {
    return this.root.clientWidth < 620 ? 372 : 780;
  }

  onSize() {
    if (this.width !== this.fitting()) this.show();
  }

  show() {
    const watch = this.shown();
    this.width = this.fitting();
    this.root.classList.toggle("km-sw-narrow", this.width < 500);
    this.lanes = new Lanes(watch, this.width, this.uid);
    this.svg.replaceChildren(...this.lanes.draw());
    put(this.svg, "viewBox", `0 0 ${this.width} ${this.lanes.height}`);
    this.clock.span(this.lanes.from, watch.until);
    for (const b of this.faults) put(b, "aria-pressed", String(b.dataset.fault === this.fault));
    for (const b of this.backs) put(b, "aria-pressed", String(+b.dataset.back === this.back));
    this.knobWords();
    this.fillTable(watch);
    this.draw();
    this.speak();
  }

  draw() {
    const watch = this.shown(),
      t = this.clock.now(),
      [first, second] = sentence(watch, t);
    put(this.head, "text", first);
    put(this.second, "text", second);
    put(this.svg, "aria-label", `${first} ${second}`);
    this.clock.show(t);
    this.lanes.point(t);
    for (const { at, cell } of this.cells)
      put(cell, "class", at === undefined ? "km-sw-never" : at <= t ? "km-sw-past" : "km-sw-yet");
  }

  fillTable(watch) {
    this.cells = [];
    const cell = (at, props) => {
      const made = h("td", props, at === undefined ? "–" : `${at.toFixed(1).replace("-", "−")} s`);
      this.cells.push({ at, cell: made });
      return made;
    };
    const row = (mark, ofNode, kids) =>
      h(
        "tr",
        {},
        h(
          "th",
          { scope: "row" },
          h("b", { class: "km-sw-tag" }, String(numberOf(mark, ofNode))),
          " ",
          this.run.words[ofNode ? "node" : "copy"][mark],
        ),
        kids,
      );
    const copy = (kind) => watch.copies.find((x) => x.kind === kind);
    const ofNode = NODE_MARKS.map((mark) =>
      row(mark, true, [cell(watch.node[mark], { colspan: 3 })]),
    );
    const ofPods = COPY_MARKS.map((mark) =>
      row(
        mark,
        false,
        KINDS.map((kind) => cell(copy(kind) && copy(kind).marks[mark])),
      ),
    );
    this.table.replaceChildren(
      h("caption", {}, "Time since the failure, on one clock"),
      columns(["mark", ...KINDS]),
      h("tbody", {}, ofNode, ofPods),
    );
  }
}

function render({ model, el }) {
  const made = new FailureStopwatch(model, el);
  return () => made.close();
}
export default { render };

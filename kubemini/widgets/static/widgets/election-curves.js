// Election curves: how many of many elections are over after so many milliseconds, for a few ranges of timeouts that were
// recorded, and for the reader's own range, whose curve builds while the simulator counts.
// Model: run {header, curves: [{timeout, count, times (quantiles), half, mean, most}]}, kernel, caption, options.
import { COLOURS, HEIGHT, axes, curves, name } from "../curves/chart.js";
import {
  attach,
  button,
  captionOf,
  h,
  headings,
  knob,
  put,
  s,
  sentences,
  shell,
  tableBox,
  textTable,
  uid,
} from "../kit.js";

const CHUNK = 25,
  MANY = 1000; // elections: of an answer, and on demand
const NEVER = 15000; // ms: the longest that is waited for
const PAUSE = 250; // ms after a slider moved
const HEAD = ["timeouts, ms", "elections", "half within", "mean", "99 of 100 within"];
const ms = (v) =>
  v >= NEVER ? "15 s or more" : `${v < 100 ? v.toFixed(v % 1 ? 1 : 0) : Math.round(v)} ms`;

/** What is said of a sample: its quantiles. */
function facts(timeout, sample) {
  const times = sample.slice().sort((a, b) => a - b),
    at = (p) => times[Math.min(times.length - 1, Math.floor(p * times.length))];
  return {
    timeout,
    count: times.length,
    times,
    half: at(0.5),
    mean: times.reduce((a, b) => a + b, 0) / times.length,
    most: at(0.99),
  };
}

class ElectionCurves {
  constructor(model, el) {
    Object.assign(this, {
      model,
      options: model.get("options") || {},
      recorded: model.get("run").curves,
    });
    Object.assign(this, {
      mine: null,
      sample: [],
      asked: null,
      wanted: 0,
      ids: 0,
      next: 0,
      timer: 0,
      width: 0,
    });
    this.shown = new Set(this.recorded.map((c) => name(c.timeout)));
    this.uid = uid();
    this.parts();
    const hears = { "msg:custom": (m) => this.heard(m), "change:kernel": () => this.onKernel() };
    this.detach = attach(el, this.root, model, hears, () => this.fit());
    this.knobs.hidden = model.get("kernel") === "recording" && this.options.live === false;
    this.draw();
    this.turn();
  }

  close() {
    clearTimeout(this.timer);
    this.detach();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.svg = s("svg", { class: "km-svg", role: "img" });
    this.status = h("p", { class: "km-status", role: "status" });
    this.chips = this.recorded.map((c, i) =>
      this.chip(name(c.timeout), COLOURS[i % COLOURS.length]),
    );
    [this.table, this.bTable] = tableBox("The curves as a table");
    this.go = button("", () => (this.wanted ? this.stop() : this.run()), {
      class: "km-b km-main-b",
    });
    this.low = this.slider("wait at least", 150, 10, 500);
    this.more = this.slider("and by chance up to", 50, 0, 300);
    this.knobs = h("div", { class: "km-knobs" }, this.low.node, this.more.node, this.go);
    this.root = this.assembled();
  }

  assembled() {
    const ranges = h(
      "div",
      { class: "km-ctl", role: "group", "aria-label": "ranges of timeouts, in milliseconds" },
      h("span", { class: "km-lab" }, "timeouts, ms"),
      this.chips,
      h("span", { class: "km-sp" }),
      this.bTable,
    );
    return shell(
      "election-curves",
      "election curves",
      sentences(this.head, this.second),
      h("div", { class: "km-pic" }, this.svg),
      h("div", { class: "km-bar" }, ranges, this.knobs, this.status),
      this.table,
      this.voice,
      captionOf(this.model),
    );
  }

  chip(label, colour) {
    const press = () => {
      if (!this.shown.delete(label)) this.shown.add(label);
      this.draw();
    };
    return button(label, press, {
      class: "km-b km-chip-b",
      style: `border-left:5px solid ${colour}`,
    });
  }

  slider(label, value, min, max) {
    const oninput = () => {
      this.turn();
      this.again();
    };
    const id = `${this.uid}-${label.replace(/ /g, "-")}`;
    return knob(id, label, { min, max, value, oninput });
  }

  // -- counting
  range() {
    return [+this.low.input.value, +this.low.input.value + +this.more.input.value];
  }

  turn() {
    const [from, to] = this.range(),
      load = this.model.get("kernel") === "recording" ? ` · ${this.options.size || "6 MB"}` : "";
    put(this.low.out, "text", `${from} ms`);
    put(this.more.out, "text", `${to - from} ms more`);
    this.low.input.setAttribute("aria-valuetext", `at least ${from} milliseconds`);
    this.more.input.setAttribute("aria-valuetext", `up to ${to} milliseconds`);
    put(
      this.go,
      "text",
      this.wanted
        ? `Stop (${this.sample.length} of ${MANY})`
        : `Run 1,000 × ${from}–${to} ms${load}`,
    );
  }

  /** A moved slider begins anew, where the simulator runs already. */
  again() {
    if (this.model.get("kernel") === "recording") {
      this.status.textContent = "Run loads the simulator into this page, once.";
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.run(), PAUSE);
  }

  run() {
    Object.assign(this, { asked: this.range(), sample: [], next: 0, wanted: MANY });
    this.ids++;
    this.ask();
    this.turn();
  }

  stop() {
    this.wanted = 0;
    this.ids++;
    this.turn();
  }

  ask() {
    if (this.model.get("kernel") === "recording") return this.model.send({ op: "golive" });
    const n = Math.min(CHUNK, this.wanted);
    this.model.send({
      op: "elections",
      id: `c${this.ids}`,
      timeout: this.asked,
      seeds: [this.next, this.next + n],
    });
    this.next += n;
  }

  heard(m) {
    if (m.op === "error") this.stop();
    if (m.op === "status" || m.op === "error") this.status.textContent = m.text || m.error;
    if (m.op !== "elections" || m.id !== `c${this.ids}` || !this.wanted) return;
    this.sample.push(...m.times.map((x) => x ?? NEVER));
    this.wanted -= m.times.length;
    this.mine = facts(this.asked, this.sample);
    this.status.textContent = "";
    this.draw();
    this.turn();
    if (this.wanted > 0) this.ask();
    else this.voice.textContent = this.head.textContent;
  }

  onKernel() {
    if (this.model.get("kernel") !== "recording")
      this.status.textContent = "The simulator runs in this page. Move a slider.";
    this.turn();
    if (this.wanted) this.ask();
  }

  // -- drawing
  fitting() {
    return this.root.clientWidth < 620 ? 360 : 700;
  }
  fit() {
    if (this.width !== this.fitting()) this.draw();
  }
  all() {
    return [...this.recorded, ...(this.mine ? [this.mine] : [])];
  }

  draw() {
    this.width = this.fitting();
    this.chips.forEach((b, i) =>
      put(b, "aria-pressed", String(this.shown.has(name(this.recorded[i].timeout)))),
    );
    put(this.svg, "viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.svg.replaceChildren(
      ...axes(this.width),
      ...curves(this.recorded, this.shown, this.mine, this.width),
    );
    this.say();
    this.fillTable();
  }

  say() {
    const c = this.mine || this.recorded[this.recorded.length - 1];
    const told = (x) =>
      `${name(x.timeout)} ms: half within ${ms(x.half)}, 99 of 100 within ${ms(x.most)}`;
    put(
      this.head,
      "text",
      `${name(c.timeout)} ms: half of ${c.count.toLocaleString("en")} elections within ${ms(c.half)}`,
    );
    put(this.second, "text", `99 of 100 within ${ms(c.most)}`);
    put(this.svg, "aria-label", this.all().map(told).join("; "));
  }

  fillTable() {
    const cells = (c) => [name(c.timeout), c.count, ms(c.half), ms(c.mean), ms(c.most)];
    const rows = this.all().map(cells);
    this.table.replaceChildren(textTable("Milliseconds without a leader", HEAD, rows));
  }
}

function render({ model, el }) {
  const made = new ElectionCurves(model, el);
  return () => made.close();
}
export default { render };

// How long elections take: a histogram that fills with those of this run, of runs before it, and a thousand on demand.
import { button, h, put, s } from "../kit.js";

const BIN = 100,
  LEAST = 2500; // ms: of a bar, and of the axis
const CHUNK = 25,
  MANY = 1000; // elections: of an answer, and on demand
const LEFT = 10,
  WIDE = 320,
  FOOT = 86,
  TALL = 74; // px

export class Histogram {
  constructor(ctl, model, given) {
    Object.assign(this, {
      ctl,
      model,
      given,
      history: null,
      mine: [],
      busy: false,
      wanted: 0,
      ids: 0,
      last: "",
      t: 0,
    });
    this.sets = new Map(); // parameters → {times, next seed}
    this.words = h("p", { class: "km-sum" });
    this.svg = s("svg", { class: "km-hist", viewBox: "0 0 340 110", role: "img" });
    this.go = button("", () => this.toggle());
    this.node = h(
      "section",
      { class: "km-elections" },
      h("div", { class: "km-h4" }, "Time without a leader"),
      this.svg,
      this.words,
      this.go,
    );
    model.on("change:kernel", () => {
      if (this.wanted && !this.busy) this.more();
    });
    model.on("msg:custom", (m) => this.heard(m));
  }

  key() {
    return JSON.stringify((this.history && this.history.header.params) || {});
  }

  /** The elections of these parameters. */
  set() {
    const key = this.key(),
      given = key === "{}" ? this.given.slice() : [];
    if (!this.sets.has(key)) this.sets.set(key, { times: given, next: given.length });
    return this.sets.get(key);
  }

  setRun(history, elections) {
    const before = this.history && this.key();
    this.history = history;
    this.mine = elections;
    if (before !== null && before !== this.key()) this.stop();
    this.last = "";
    this.go.hidden = !this.ctl.canLive();
  }

  // -- counting
  toggle() {
    if (this.busy || this.wanted) return this.stop();
    this.wanted = MANY;
    this.more();
    this.label();
  }

  stop() {
    this.busy = false;
    this.wanted = 0;
    this.label();
  }

  more() {
    if (this.wanted <= 0) return this.stop();
    if (this.ctl.kernel() === "recording") return this.model.send({ op: "golive" });
    const { header } = this.history,
      x = this.set(),
      n = Math.min(CHUNK, this.wanted);
    this.busy = true;
    this.wanted -= n;
    this.model.send({
      op: "elections",
      id: `e${++this.ids}`,
      scenario: header.source || header.scenario,
      params: header.params || {},
      seeds: [x.next, x.next + n],
    });
    x.next += n;
  }

  heard(m) {
    if (m.op === "error") this.stop();
    if (m.op !== "elections" || m.id !== `e${this.ids}` || !this.busy) return;
    this.set().times.push(...m.times);
    this.last = "";
    this.draw();
    this.more();
    this.label();
  }

  label() {
    put(
      this.go,
      "text",
      this.wanted || this.busy ? `Stop (${MANY - this.wanted} of ${MANY})` : "Run 1,000 elections",
    );
  }

  // -- drawing
  draw(t = this.t) {
    this.t = t;
    const times = this.set().times.filter((v) => v != null),
      run = this.mine.filter((e) => e.at <= t);
    const key = `${this.key()}${times.length}:${run.map((e) => e.ms)}`;
    this.label();
    if (key === this.last) return;
    this.last = key;
    const top = Math.max(LEAST, ...run.map((e) => e.ms), ...times),
      wide = WIDE / Math.ceil(top / BIN + 0.001);
    this.svg.replaceChildren(
      s("path", { class: "km-axis", d: "M10 86H330" }),
      ...bars(times, top, wide),
      ...run.map((e) => mark(e, wide)),
      ...ticks(top, wide),
    );
    const sorted = times.slice().sort((a, b) => a - b),
      at = (p) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]);
    const all = sorted.length
      ? `${sorted.length} elections: half within ${at(0.5)} ms, 99 of 100 within ${at(0.99)} ms. `
      : "";
    put(this.words, "text", all + (run.length ? "Dashed: this run." : ""));
    put(this.svg, "aria-label", this.words.textContent || "no election counted yet");
  }
}

function bars(times, top, wide) {
  const bins = new Array(Math.ceil(top / BIN + 0.001)).fill(0);
  for (const v of times) bins[Math.min(bins.length - 1, Math.floor(v / BIN))]++;
  const high = (n) => (TALL * n) / Math.max(1, ...bins),
    x = (i) => LEFT + i * wide;
  return bins.flatMap((n, i) =>
    n
      ? [
          s("rect", {
            class: "km-bar-h",
            x: x(i),
            width: Math.max(1, wide - 1),
            y: FOOT - high(n),
            height: high(n),
          }),
        ]
      : [],
  );
}

function mark(e, wide) {
  const x = LEFT + (e.ms / BIN) * wide,
    left = x > 270,
    line = s("path", { class: "km-this", d: `M${x.toFixed(1)} 86v-78` });
  return s(
    "g",
    {},
    line,
    s(
      "text",
      { class: "km-mute", x: x + (left ? -4 : 4), y: 12, "text-anchor": left ? "end" : "start" },
      `${Math.round(e.ms)} ms`,
    ),
  );
}

function ticks(top, wide) {
  const step = top > 6000 ? 5000 : top > 3000 ? 1000 : 500,
    kids = [];
  for (let ms = 0; ms <= top; ms += step)
    kids.push(
      s(
        "text",
        { class: "km-mute", x: LEFT + (ms / BIN) * wide, y: 102, "text-anchor": "middle" },
        ms % 1000 ? `${ms / 1000}` : `${ms / 1000} s`,
      ),
    );
  return kids;
}

// The lanes beneath the pods: how many are ready and how many there are, with the bounds; budgets; lost visits; seconds.
// All lanes share one axis of time. Invariant: a lane's marks are made once a run and only placed anew when the axis
// moves; what lies in the future is covered by the picture's clip.
import { fit, plural, put, s, seconds, upto } from "../kit.js";
import { boundsOf, countsOf, last } from "./lives.js";

const CHART = 78, // px
  LANE = 20,
  STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300];
const text = (cls, x, y, anchor = "start") =>
  s("text", { class: cls, x, y, "text-anchor": anchor });

/** A line of steps through [[at, value], …] as a path. */
function steps(points, x, y, until) {
  let d = "";
  points.forEach(([at, value], i) => {
    const end = points[i + 1] ? points[i + 1][0] : until;
    d += `${d ? "V" : `M${x(at).toFixed(1)} `}${y(value).toFixed(1)}H${x(end).toFixed(1)}`;
  });
  return d || "M0 0";
}

/** How many pods are ready and how many exist, at every instant at which that changes. */
function tallied(strip) {
  const instants = new Set([0]);
  for (const pod of strip.pods) for (const [at] of pod.spans) instants.add(at);
  const sorted = [...instants].sort((a, b) => a - b);
  const rows = sorted.map((at) => [at, countsOf(strip, at)]);
  return Object.fromEntries(
    ["ready", "kept", "all"].map((what) => [what, rows.map(([at, counts]) => [at, counts[what]])]),
  );
}

/** The chart of counts between the two bounds. */
export class Chart {
  constructor(strip, place) {
    Object.assign(this, { strip, place, tall: CHART + 26 });
    this.counts = tallied(strip);
    const bounds = strip.bounds.map(([at]) => [at, boundsOf(strip, at)]);
    this.least = bounds.map(([at, one]) => [at, one.least]);
    this.most = bounds.map(([at, one]) => [at, one.most]);
    this.top = Math.max(1, ...this.counts.all.map(([, n]) => n), ...this.most.map(([, n]) => n));
    const line = (cls) => s("path", { class: `km-roll-${cls}` });
    this.short = s("g", {});
    this.lines = {
      most: line("most"),
      least: line("least"),
      all: line("all"),
      kept: line("kept"),
      ready: line("line-ready"),
    };
    this.future = s("g", {}, this.short, ...Object.values(this.lines));
    this.labels = this.labelled();
    this.node = s("g", {}, ...this.labels.nodes);
  }

  y = (n) => this.place.y + 22 + CHART * (1 - n / this.top);

  labelled() {
    const { left, y } = this.place,
      head = text("km-h", 8, y + 12),
      most = text("km-mute", left - 6, 0, "end"),
      least = text("km-mute", left - 6, 0, "end");
    const words = ["ready", "kept", "all"].map((what) =>
      s("tspan", { class: `km-roll-t-${what}` }),
    );
    head.append(...words);
    return { words, most, least, nodes: [head, most, least] };
  }

  arrange(x, until) {
    for (const [what, path] of Object.entries(this.lines))
      put(path, "d", steps(this.counts[what] || this[what], x, this.y, until));
    this.short.replaceChildren(...this.shortage(x, until));
  }

  /** Where fewer are ready than must be. */
  shortage(x, until) {
    const rows = this.counts.ready.concat(this.least.map(([at]) => [at])).map(([at]) => at);
    const instants = [...new Set(rows)].sort((a, b) => a - b),
      begun = this.opened();
    return instants.flatMap((at, i) => {
      const ready = last(this.counts.ready, at),
        least = last(this.least, at),
        end = instants[i + 1] ?? until;
      if (!ready || !least || ready[1] >= least[1] || at < begun) return [];
      const top = this.y(least[1]);
      return [
        s("rect", {
          class: "km-roll-short",
          x: x(at),
          y: top,
          width: Math.max(1.5, x(end) - x(at)),
          height: this.y(ready[1]) - top,
        }),
      ];
    });
  }

  /** When as many were ready as must be, for the first time: before that nothing is short. */
  opened() {
    const found = this.counts.ready.find(([at, n]) => n >= boundsOf(this.strip, at).least);
    return found ? found[0] : Infinity;
  }

  draw(t) {
    const { least, most } = boundsOf(this.strip, t),
      { ready, kept, all } = countsOf(this.strip, t),
      { narrow } = this.place;
    const leaving = all - kept,
      words = [
        `${ready} ready`,
        ` of ${plural(kept, "pod")}`,
        leaving ? ` + ${leaving} on the way out` : "",
      ];
    words.forEach((word, i) => put(this.labels.words[i], "text", word));
    const [high, low] = [this.y(most), this.y(least)],
      apart = Math.max(0, 13 - (low - high)) / 2;
    put(this.labels.most, "text", narrow ? `≤ ${most}` : `at most ${most}`);
    put(this.labels.least, "text", narrow ? `≥ ${least}` : `at least ${least} ready`);
    put(this.labels.most, "y", (high + 4 - apart).toFixed(1));
    put(this.labels.least, "y", (low + 4 + apart).toFixed(1));
  }
}

/** One budget: how many it lets go. */
export class Budget {
  constructor(one, place) {
    Object.assign(this, { one, place, tall: LANE + 8 });
    this.label = text("km-t", 8, place.y + 14);
    this.boxes = one.told.map(([, allowed]) => ({
      allowed,
      box: s("rect", {
        class: allowed ? "km-roll-may" : "km-roll-mayn",
        y: place.y + 2,
        height: LANE - 6,
      }),
      word: text("km-roll-n", 0, place.y + 13, "middle"),
    }));
    this.future = s("g", {}, ...this.boxes.flatMap(({ box, word }) => [box, word]));
    this.node = s("g", {}, this.label);
  }

  arrange(x, until) {
    const { told } = this.one;
    this.boxes.forEach(({ allowed, box, word }, i) => {
      const from = x(told[i][0]),
        to = x(told[i + 1] ? told[i + 1][0] : until);
      put(box, "x", from.toFixed(1));
      put(box, "width", Math.max(0.6, to - from - 0.6).toFixed(1));
      put(word, "x", ((from + to) / 2).toFixed(1));
      put(word, "text", to - from > 14 ? String(allowed) : "");
    });
  }

  draw(t) {
    const [, allowed] = last(this.one.told, t) || [0, 0],
      { left } = this.place;
    const words = [
      `budget: ${allowed || "nobody"} may go`,
      `${allowed || "nobody"} may go`,
      `may go: ${allowed}`,
    ];
    put(this.label, "text", fit(left - 14, 12, ...words));
  }
}

/** The visits that were lost, each where it began. */
export class Lost {
  constructor(lost, place) {
    Object.assign(this, { lost, place, tall: LANE + 4 });
    this.label = text("km-t", 8, place.y + 14);
    this.rail = s("path", { class: "km-roll-rail" });
    this.path = s("path", { class: "km-x" });
    this.future = s("g", {}, this.rail, this.path);
    this.node = s("g", {}, this.label);
  }

  arrange(x, until) {
    const y = this.place.y + 10,
      { left } = this.place;
    put(this.rail, "d", `M${left} ${y}H${x(until).toFixed(1)}`);
    const cross = (at) => `M${(x(at) - 3.5).toFixed(1)} ${y - 3.5}l7 7m0-7l-7 7`;
    put(this.path, "d", this.lost.map(cross).join("") || "M0 0");
  }

  draw(t) {
    const n = upto(this.lost, t),
      { left } = this.place;
    put(this.label, "text", fit(left - 14, 12, `✕ ${n} visits lost`, `✕ ${n} lost`));
    put(this.label, "class", n ? "km-t km-bad-t" : "km-t");
  }
}

/** The seconds, and a line where something was done. */
export class Axis {
  constructor(commands, place) {
    Object.assign(this, { commands, place, tall: 18 });
    this.ticks = s("g", { class: "km-roll-ticks" });
    this.deeds = commands.map(() => s("path", { class: "km-roll-deed" }));
    this.future = s("g", {});
    this.back = s("g", { "aria-hidden": "true" }, ...this.deeds); // behind all words
    this.node = s("g", { "aria-hidden": "true" }, this.ticks);
  }

  arrange(x, until, from, to) {
    const { left, y, wide } = this.place,
      room = wide - left,
      step = STEPS.find((n) => (room * n * 1e6) / (to - from) >= 44) || 600;
    const kids = [];
    for (let at = Math.ceil(from / 1e6 / step) * step; at * 1e6 <= to; at += step) {
      const anchor = x(at * 1e6) > wide - 14 ? "end" : "middle";
      const tick = text("km-mute", x(at * 1e6).toFixed(1), y + 13, anchor);
      tick.textContent = `${seconds(at * 1e6, 0)} s`;
      kids.push(tick);
    }
    this.ticks.replaceChildren(...kids);
    this.commands.forEach(({ at }, i) => {
      const seen = at >= from && at <= to;
      put(this.deeds[i], "d", seen ? `M${x(at).toFixed(1)} ${this.place.top}V${y}` : "M0 0");
    });
  }

  draw() {}
}

// The same fault on a real cluster, beneath ours: lanes on the time of the strips, a sentence for each thing done.
// Draws what view/beneath gives: {ours: {fates, leads, uses}, windows, source, again}. Where there is none, nothing is shown.
import { MARKS, SECOND, fit, h, put, s, seconds } from "../kit.js";

const TALL = 12; // px, as the strips are
const FATES = ["ok", "slow", "failed"]; // from the bottom up
const LEGEND = [
  ["ok", "answered at once"],
  ["slow", "answered after more than a second"],
  ["failed", "not answered, or with an error"],
];

export class Beneath {
  constructor() {
    this.rows = h("div", { class: "km-beneath-rows" });
    this.said = h("ol", { class: "km-beneath-said" });
    this.source = h("p", { class: "km-beneath-source" });
    this.now = h("i", { class: "km-beneath-now", "aria-hidden": "true" });
    const head = h(
      "div",
      { class: "km-beneath-head" },
      h("span", { class: "km-h4" }, "The same on a real cluster"),
      h("span", {}, "here: this simulation, there: the real one"),
    );
    this.node = h(
      "div", // no landmark: a page may have several
      {
        class: "km-beneath",
        role: "group",
        "aria-label": "The same on a real cluster",
        hidden: true,
      },
      head,
      this.rows,
      this.said,
      this.source,
    );
  }

  setRun(past) {
    const found = past.run.beneath;
    this.node.hidden = !found;
    this.windows = found ? found.windows : [];
    if (!found) return;
    this.until = past.until;
    this.room = Math.max(120, this.node.clientWidth - 180);
    const { ours, windows } = found;
    this.rows.replaceChildren(
      titles(windows, past.until, this.room),
      ...Object.keys(ours.fates)
        .filter((name) => windows.some((w) => w.fates[name]))
        .flatMap((name) => this.requests(name, ours, windows)),
      ...this.leaders(ours, windows),
      ...this.servers(ours, windows),
      h("div", { class: "km-beneath-axis", "aria-hidden": "true" }, this.now),
    );
    this.items = windows.map((w) =>
      h(
        "li",
        {},
        h("b", {}, `${seconds(w.at, 0)} s, ${w.title}. `),
        w.sentence,
        h("span", { class: "km-sr" }, w.rows.map((row) => ` ${row.join(", ")}.`).join("")),
      ),
    );
    this.said.replaceChildren(...this.items);
    this.source.replaceChildren(...legend(), ` ${found.source}. `, ...again(found));
    this.draw(this.t || 0);
  }

  /** Whoever stands in the window of *t* is told in ink. */
  draw(t) {
    this.t = t;
    if (this.node.hidden) return;
    this.now.style.left = `${((100 * t) / this.until).toFixed(3)}%`;
    this.windows.forEach((w, i) =>
      put(this.items[i], "class", t >= w.begin && t < w.until ? "km-here" : null),
    );
  }

  requests(name, ours, windows) {
    const there = windows
      .filter((w) => w.fates[name])
      .flatMap((w) => this.counts(w.fates[name], w.first, w));
    const mine = this.counts(ours.fates[name], 0, { begin: 0, until: this.until });
    return pair(name, mine, there, windows, this.until);
  }

  /** The columns of a row, and in each stretch of trouble its mark where there is room. */
  counts(row, first, window) {
    const marks = troubles(row).map(({ fate, from, to }) => {
      const wide = (this.room * (to - from + 1) * SECOND) / this.until,
        style = `left:${share(first + ((from + to + 1) / 2) * SECOND, this.until)}`;
      return wide >= 12 && h("b", { class: "km-mark-in", style }, MARKS[fate]);
    });
    return [columns(row, first, window, this.until), h("div", {}, marks)];
  }

  leaders(ours, windows) {
    const mine = ours.leads.etcd || [];
    if (!mine.length) return [];
    const there = windows.map((w) => this.bars(w.leads.etcd || [], w));
    return pair(
      "etcd leader",
      [this.bars(mine, { until: this.until })],
      there,
      windows,
      this.until,
    );
  }

  /** Who leads from when to when: a bar with a name, or nobody. */
  bars(told, { until }) {
    const bar = ([at, who], i) => {
      const end = i + 1 < told.length ? told[i + 1][0] : until,
        wide = (this.room * (end - at)) / this.until;
      const style = `left:${share(at, this.until)};width:${share(end - at, this.until)}`;
      const words = who ? fit(wide - 8, 10.5, `★ ${who}`, "★", "") : "";
      return h(
        "i",
        { class: who ? "km-lead" : "km-nobody", style, title: who || "no leader" },
        words,
      );
    };
    return h("div", { class: "km-bars" }, told.map(bar));
  }

  servers(ours, windows) {
    const names = Object.keys(ours.uses).sort();
    if (!names.length) return [];
    const lines = (uses, from) =>
      h(
        "div",
        { class: "km-uses" },
        names.map((name) => h("div", {}, inUse(uses[name] || [], from.until, this.until))),
      );
    const there = windows.map((w) => lines(w.uses, w));
    const mine = [lines(ours.uses, { until: this.until })];
    return pair("balancer uses", mine, there, windows, this.until);
  }
}

const share = (part, whole) => `${((100 * part) / whole).toFixed(3)}%`;

/** Two lanes, ours above theirs; theirs only where there is a window. */
function pair(name, mine, there, windows, until) {
  const back = windows.map((w) =>
    h("i", {
      class: "km-pane",
      style: `left:${share(w.begin, until)};width:${share(w.until - w.begin, until)}`,
    }),
  );
  const lane = (where, kids) =>
    h(
      "div",
      { class: `km-strip km-${where}`, "aria-hidden": "true" },
      h("span", { class: "km-strip-name" }, where === "here" ? name : "", " ", h("b", {}, where)),
      h("div", { class: "km-strip-lane" }, kids),
    );
  return [lane("here", mine), lane("there", [...back, ...there])];
}

/** A column a second, the share of each fate; from *first* µs on, within a window. */
function columns(row, first, { begin, until }, end) {
  const g = s("svg", {
    viewBox: `0 0 ${end / SECOND} ${TALL}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  row.ok.forEach((_, i) => {
    const asked = FATES.reduce((n, fate) => n + row[fate][i], 0),
      x = Math.max(begin, first + i * SECOND) / SECOND,
      right = Math.min(until, first + (i + 1) * SECOND) / SECOND;
    let y = TALL;
    for (const fate of FATES.filter((what) => row[what][i])) {
      const height = Math.max(3, (TALL * row[fate][i]) / asked);
      y -= height;
      const box = { x, y: Math.max(0, y), width: Math.max(0, right - x) * 0.94, height };
      g.append(s("rect", { class: "km-s-" + fate, ...box }));
    }
  });
  return g;
}

/** Stretches of seconds with the same trouble: {fate, from, to}. */
function troubles(row) {
  const found = [];
  row.ok.forEach((_, i) => {
    const fate = row.failed[i] ? "failed" : row.slow[i] ? "slow" : null,
      last = found[found.length - 1];
    if (last && last.fate === fate && last.to === i - 1) last.to = i;
    else if (fate) found.push({ fate, from: i, to: i });
  });
  return found;
}

/** When the balancer used a server: a line, broken while it is DOWN. */
function inUse(told, until, end) {
  return told.map(([at, up], i) => {
    const to = i + 1 < told.length ? told[i + 1][0] : until;
    return h("i", {
      class: up ? "km-use" : "km-unused",
      style: `left:${share(at, end)};width:${share(to - at, end)}`,
    });
  });
}

function titles(windows, until, room) {
  const words = (w, i) => {
    const next = i + 1 < windows.length ? windows[i + 1].begin : until;
    return fit((room * (next - w.begin)) / until - 6, 11, w.title, w.title.split(/,? /)[0], "");
  };
  return h(
    "div",
    { class: "km-beneath-titles", "aria-hidden": "true" },
    windows.map((w, i) => h("span", { style: `left:${share(w.begin, until)}` }, words(w, i))),
  );
}

const legend = () =>
  LEGEND.map(([fate, words]) =>
    h(
      "span",
      { class: "km-key" },
      h("i", { class: "km-key-" + fate, "aria-hidden": "true" }, MARKS[fate]),
      words,
    ),
  );

const again = ({ again }) => [
  "Whoever has the programs can record it anew: ",
  h("code", {}, again),
  ".",
];

// The picture of a stopwatch: one clock; the node above, and a lane for each of its pods: whether the old container
// runs, what the API says of the old pod, and what replaces it. Numbers stand for the marks of the table.
import { hatch } from "../draw.js";
import { fit, s, width as measure } from "../kit.js";
import { COPY_MARKS, NODE_MARKS, app, numberOf, told } from "./reading.js";

const BAR = 15,
  GAP = 4,
  TITLE = 20,
  TOP = 26,
  APART = 14,
  BEFORE = 12; // s before the failure
const STEPS = [10, 20, 30, 60, 120, 300];
const LANE = TITLE + 3 * (BAR + GAP) + 22;

/** How everything is placed in *W* px; *watch* says how long the clock is. */
export class Lanes {
  constructor(watch, W, id) {
    Object.assign(this, { watch, W, id });
    this.left = W < 500 ? 6 : 118;
    this.right = 10;
    this.from = Math.min(-BEFORE, (watch.node.renewed ?? 0) - 4);
    this.height = TOP + this.nodeHigh() + LANE * watch.copies.length + 6;
  }

  nodeHigh() {
    return (this.left > 50 ? 8 : TITLE) + BAR + 30;
  }
  x(t) {
    const { from, left, right, W, watch } = this;
    return left + ((t - from) / (watch.until - from)) * (W - left - right);
  }

  draw() {
    const { watch } = this,
      kids = [hatch(this.id), ...this.axis()];
    let y = TOP;
    kids.push(...this.nodeLane(y));
    y += this.nodeHigh();
    for (const copy of watch.copies) {
      kids.push(...this.lane(copy, y));
      y += LANE;
    }
    this.hand = s("path", { class: "km-sw-hand" });
    return [...kids, this.hand];
  }

  /** The hand of the clock. */
  point(t) {
    const x = this.x(Math.max(this.from, t)).toFixed(1);
    this.hand.setAttribute("d", `M${x} ${TOP - 8}V${this.height - 2}`);
  }

  axis() {
    const room = this.W - this.left - this.right,
      long = this.watch.until - this.from;
    const step = STEPS.find((n) => (room * n) / long >= 46) || 600,
      kids = [];
    for (let t = 0; t <= this.watch.until; t += step) {
      const x = this.x(t),
        text = step >= 60 ? `${t / 60} min` : `${t} s`;
      kids.push(s("path", { class: "km-grid", d: `M${x} ${TOP - 8}V${this.height - 4}` }));
      const last = x > this.W - 22;
      const place = { x: last ? this.W - 4 : x, y: 13, "text-anchor": last ? "end" : "middle" };
      kids.push(s("text", { class: "km-mute", ...place }, text));
    }
    return kids;
  }

  title(y, text, more) {
    if (this.left > 50)
      return [
        s("text", { class: "km-sw-t", x: 8, y: y + 14 }, text),
        s("text", { class: "km-mute", x: 8, y: y + 30 }, more),
      ];
    const at = this.left + measure(text, 13) + 14;
    return [
      s("text", { class: "km-sw-t", x: this.left, y: y + 14 }, text),
      s("text", { class: "km-mute", x: at, y: y + 14 }, more),
    ];
  }

  /** A bar from a to b, with the first wording that fits. */
  bar(cls, a, b, y, ...words) {
    const x = this.x(a),
      w = Math.max(1.5, this.x(b) - x);
    const text = fit(w - 8, 11, ...words, "");
    const rect = s("rect", { class: `km-sw-bar km-sw-${cls}`, x, y, width: w, height: BAR, rx: 3 });
    if (cls === "dead") rect.setAttribute("fill", `url(#${this.id})`);
    return [
      rect,
      text && s("text", { class: `km-sw-w km-sw-on-${cls}`, x: x + 5, y: y + 11.5 }, text),
    ];
  }

  nodeLane(top) {
    const { node, back, until, timers } = this.watch,
      y = top + (this.left > 50 ? 8 : TITLE),
      kids = this.title(top, "the node", "in the API");
    const silent = node["not-ready"],
      well = node.again ?? until;
    const stale = silent ?? back;
    if (node.renewed !== undefined && node.renewed < stale)
      kids.push(...this.bar("stale", node.renewed, stale, y, "Lease grows old", "old"));
    const first = node.renewed ?? this.from;
    if (first > this.from) kids.push(...this.bar("ok", this.from, first, y));
    if (silent === undefined) kids.push(...this.bar("ok", back, until, y, "Ready, as before", ""));
    else {
      kids.push(
        ...this.bar("bad", silent, well, y, "✕ NotReady, tainted unreachable", "✕ NotReady"),
      );
      if (well < until) kids.push(...this.bar("ok", well, until, y, "Ready"));
    }
    kids.push(...this.pills(NODE_MARKS, node, true, y + BAR + 3));
    return [...kids, ...this.flag(back, y + BAR + 14, timers)].filter(Boolean);
  }

  flag(at, y) {
    const x = this.x(at);
    return [s("text", { class: "km-mute", x, y, "text-anchor": "middle" }, "▲ back")];
  }

  lane(copy, top) {
    const y = top + (this.left > 50 ? 2 : TITLE),
      kids = this.title(top, copy.kind, copy.name.length > 14 ? `${app(copy)}-…` : copy.name);
    const step = BAR + GAP;
    kids.push(...this.process(copy, y));
    kids.push(...this.object(copy, y + step));
    kids.push(...this.replacement(copy, y + 2 * step));
    kids.push(...this.pills(COPY_MARKS, copy.marks, false, y + 3 * step));
    kids.unshift(s("path", { class: "km-sw-rule", d: `M0 ${top - 7}H${this.W}` }));
    return kids.filter(Boolean);
  }

  /** Whether a container of the old pod runs, in all that time. */
  process(copy, y) {
    const end = Math.min(this.watch.until, copy.marks.gone ?? this.watch.until),
      kids = [];
    let at = this.from;
    for (const [begin, stop] of this.lives(copy)) {
      if (begin > at) kids.push(...this.bar("dead", at, begin, y, "✕ dead"));
      if (stop > begin)
        kids.push(...this.bar("run", begin, stop, y, ...this.running(copy, begin, stop)));
      at = Math.max(at, stop);
    }
    if (end > at + 1) kids.push(...this.bar("dead", at, end, y, "✕ dead: nothing runs", "✕ dead"));
    return kids;
  }

  /** From when to when a container ran: until the failure one did. */
  lives({ runs: [first, ...later] }) {
    const goesOn = first && first[0] === 0;
    return [[this.from, goesOn ? first[1] : 0], ...(first && !goesOn ? [first] : []), ...later];
  }

  running(copy, begin, stop) {
    const { fault, back } = this.watch;
    if (stop <= 0) return [""];
    if (fault === "partition" && copy.answered && stop > back / 2)
      return ["● the old copy runs and serves, on its side of the cut", "● still serves", "●"];
    return [begin > 0 ? "● its container runs again" : "● the old copy still runs", "● runs", "●"];
  }

  /** What the API says of the old pod. */
  object(copy, y) {
    const { marks } = copy,
      until = this.watch.until,
      gone = marks.gone ?? until,
      going = Math.min(marks.marked ?? gone, gone),
      again = Math.min(marks.again ?? going, going),
      unready = Math.min(marks["not-ready"] ?? going, going);
    const kids = this.bar("ready", this.from, unready, y, "API: Ready", "Ready");
    if (again > unready) kids.push(...this.bar("wait", unready, again, y, ...this.tolerated(copy)));
    if (going > again) kids.push(...this.bar("ready", again, going, y, "Ready", ""));
    if (gone > going)
      kids.push(
        ...this.bar("going", going, gone, y, "Terminating: nobody confirms", "Terminating", "…"),
      );
    return kids;
  }

  tolerated(copy) {
    const { timers, node } = this.watch;
    if (copy.kind === "DaemonSet" && node.tainted !== undefined)
      return ["not ready, tolerated for ever", "for ever", ""];
    if (node.tainted === undefined) return [""];
    return [`not ready, tolerated for ${told(timers.toleration_seconds)}`, "tolerated", ""];
  }

  replacement(copy, y) {
    const { marks } = copy,
      until = this.watch.until;
    if (marks.created === undefined)
      return this.bar("none", this.from, until, y, "no replacement", "none");
    const ready = marks.ready ?? until,
      kids = this.bar("none", this.from, marks.created, y, "no replacement yet", "none");
    kids.push(...this.bar("wait", marks.created, ready, y, ""));
    if (ready < until)
      kids.push(
        ...this.bar(
          "next",
          ready,
          until,
          y,
          `● ${copy.heir} on ${copy.place}`,
          `● on ${copy.place}`,
          "● new",
          "●",
        ),
      );
    return kids;
  }

  /** The numbers of the marks; those that fall on one another share a pill. */
  pills(names, marks, ofNode, y) {
    const found = names
      .filter((name) => marks[name] !== undefined)
      .map((name) => ({ n: numberOf(name, ofNode), x: this.x(marks[name]) }))
      .sort((a, b) => a.x - b.x || a.n - b.n);
    const piles = [];
    for (const { n, x } of found) {
      const last = piles[piles.length - 1];
      if (last && x - last.x < APART + 6 * last.all.length) last.all.push(n);
      else piles.push({ x, all: [n] });
    }
    return piles.flatMap(({ x, all }) => this.pill(x, spelled(all), y));
  }

  pill(x, text, y) {
    const w = Math.max(16, measure(text, 11) + 9),
      at = Math.min(Math.max(x, w / 2 + 1), this.W - w / 2 - 1);
    return [
      s("rect", { class: "km-sw-pill", x: at - w / 2, y, width: w, height: 16, rx: 8 }),
      s("text", { class: "km-sw-n", x: at, y: y + 12, "text-anchor": "middle" }, text),
    ];
  }
}

/** Numbers of marks that fall together: 4–7, or 4, 6, 8. */
function spelled(list) {
  const all = [...list].sort((a, b) => a - b),
    inRow = all.every((n, i) => !i || n === all[i - 1] + 1);
  return all.length > 1 && inRow ? `${all[0]}–${all[all.length - 1]}` : all.join(",");
}

// The chart of the election curves: shares of elections over milliseconds, on a logarithmic axis.
import { clamp, s } from "../kit.js";

export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2", "1 2"];
const LOW = 10,
  HIGH = 20000; // ms
const LEFT = 46,
  RIGHT = 16,
  TOP = 14,
  FOOT = 40,
  POINTS = 80;
const NARROW_TICKS = [10, 100, 1000, 10000],
  TICKS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
export const HEIGHT = 300;
export const name = ([low, high]) => `${low}–${high}`;

const word = (x, y, text, anchor) =>
  s("text", { x, y, "text-anchor": anchor, class: "km-mute" }, text);
const Y = (share) => TOP + (1 - share) * (HEIGHT - TOP - FOOT);
const X = (ms, width) =>
  LEFT + ((Math.log10(clamp(ms, LOW, HIGH)) - 1) / (Math.log10(HIGH) - 1)) * (width - LEFT - RIGHT);

/** Axes, ticks and their words. */
export function axes(width) {
  const levels = [0, 25, 50, 75, 100].flatMap((p) => [
    s("path", { class: "km-grid", d: `M${LEFT} ${Y(p / 100)}H${width - RIGHT}` }),
    word(LEFT - 6, Y(p / 100) + 4, `${p} %`, "end"),
  ]);
  const ticks = (width < 500 ? NARROW_TICKS : TICKS).flatMap((v) => [
    s("path", { class: "km-grid", d: `M${X(v, width)} ${Y(0)}v5` }),
    word(X(v, width), Y(0) + 18, v.toLocaleString("en"), "middle"),
  ]);
  return [
    ...levels,
    ...ticks,
    word((LEFT + width - RIGHT) / 2, HEIGHT - 6, "milliseconds without a leader", "middle"),
  ];
}

/** The curves recorded of which the names are *shown*, and the reader's own. */
export function curves(recorded, shown, mine, width) {
  const visible = recorded.map((c, i) => ({ c, i })).filter(({ c }) => shown.has(name(c.timeout)));
  const place = (k) => 0.9 - (0.62 * k) / Math.max(1, visible.length - 1);
  const found = visible.flatMap(({ c, i }, k) =>
    curve(c, COLOURS[i % COLOURS.length], DASHES[i % DASHES.length], place(k), 2, width),
  );
  return mine ? [...found, ...curve(mine, "var(--ink)", "", 0.97, 3, width)] : found;
}

/** One curve, its name beside it where *label* of its elections are over. */
function curve(c, colour, dash, label, thick, width) {
  const n = c.times.length,
    at = (p) => c.times[Math.min(n - 1, Math.floor(p * n))],
    pts = [];
  for (let p = 0.5 / POINTS; p < 1; p += 1 / POINTS)
    pts.push(`${X(at(p), width).toFixed(1)} ${Y(p).toFixed(1)}`);
  const mark = s("tspan", { style: `fill:${colour}` }, "▬ ");
  const text = s(
    "text",
    { x: X(at(label), width) + 7, y: Y(label) + 12, class: "km-curve-t" },
    mark,
    name(c.timeout),
  );
  return [
    s("path", {
      d: "M" + pts.join("L"),
      class: "km-curve",
      style: `stroke:${colour};stroke-width:${thick}`,
      "stroke-dasharray": dash || null,
    }),
    text,
  ];
}

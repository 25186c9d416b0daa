// How requests fared over time, one row a kind, and the time itself with what was done in it.
import { MARKS, SECOND, h, put, s, seconds, width } from "../kit.js";

const TALL = 12; // px
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 43200, 86400]; // s
const APART = 72; // px between two ticks

/** One row a series; a bucket's column is its share of ok, failed, unknown. */
export function drawStrips(strips, past) {
  const { bucket, series } = past.run.strip || { bucket: 1, series: [] },
    n = past.until / (bucket || 1);
  strips.replaceChildren(...series.map((row) => lane(row, bucket, n)));
}

function lane(row, bucket, n) {
  const g = s("svg", {
    viewBox: `0 0 ${n} ${TALL}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  g.append(...row.ok.flatMap((_, i) => column(row, i, n)));
  const rate = h("b", {}),
    flags = flagged(row);
  const apart = flags.filter((f, i) => i === 0 || (100 * (f.from - flags[i - 1].to)) / n > 4);
  const flag = (f) =>
    h(
      "i",
      {
        class: "km-flag km-flag-" + f.flag,
        "aria-hidden": "true",
        style: `left:${(100 * (f.from + f.to + 1)) / 2 / n}%`,
      },
      MARKS[f.flag],
    );
  const made = h(
    "div",
    { class: "km-strip" + (flags.length ? " km-flagged" : "") },
    h("span", { class: "km-strip-name" }, row.name, " ", rate),
    h("div", { class: "km-strip-lane" }, g, apart.map(flag)),
  );
  made.kmRate = { rate, row, bucket };
  return made;
}

const asked = (row, i) => row.ok[i] + row.failed[i] + row.unknown[i];

function column(row, i, n) {
  let y = TALL;
  return ["ok", "unknown", "failed"]
    .filter((what) => row[what][i])
    .map((what) => {
      const height = Math.max(3, (TALL * row[what][i]) / asked(row, i));
      y -= height;
      return s("rect", {
        class: "km-s-" + what,
        x: i,
        y: Math.max(0, y),
        width: Math.min(1, n - i) * 0.94,
        height,
      });
    });
}

/** Where something went wrong: {flag, from, to} in buckets; what lies close together is one. */
function flagged(row) {
  const flags = [];
  row.ok.forEach((_, i) => {
    const flag = row.failed[i] ? "failed" : row.unknown[i] ? "unknown" : null,
      before = flags[flags.length - 1];
    if (flag && before && before.flag === flag && before.to >= i - 2) before.to = i;
    else if (flag) flags.push({ flag, from: i, to: i });
  });
  return flags;
}

/** The share that is ok now, or was when somebody last asked. */
export function drawRates(strips, t) {
  for (const {
    kmRate: { rate, row, bucket },
  } of strips.children) {
    let i = Math.min(row.ok.length - 1, Math.floor(t / bucket));
    while (i > 0 && !asked(row, i)) i--;
    put(rate, "text", asked(row, i) ? Math.round((100 * row.ok[i]) / asked(row, i)) + " %" : "–");
  }
}

/** Ticks of time, and a mark for each command with its words where there is room. */
export function drawMarks(marks, past) {
  const room = marks.clientWidth || 600;
  marks.replaceChildren(...ticks(room, past.until / SECOND), ...commands(room, past));
}

function ticks(room, end) {
  const step = STEPS.find((x) => (room * x) / end >= APART) || end,
    kids = [];
  const words = (x) => (step >= 60 && step % 60 === 0 ? x / 60 + " min" : x + " s");
  for (let x = 0; x <= end + 1e-9; x += step)
    kids.push(h("span", { class: "km-tick", style: `left:${(100 * x) / end}%` }, words(x)));
  return kids;
}

function commands(room, past) {
  const xs = past.commands.map((c) => (room * c.at) / past.until),
    kids = [];
  let edge = 0; // right end of what is written so far
  past.commands.forEach((c, i) => {
    const x = xs[i],
      text = words(c),
      w = width(text, 11.5) + 12,
      next = xs[i + 1] === undefined ? room + 8 : xs[i + 1] - 6;
    const style = `left:${(100 * c.at) / past.until}%`,
      right = x + w < next,
      left = !right && x - w > edge;
    kids.push(
      h(
        "i",
        { class: "km-mark km-by-" + c.by, style, title: `${seconds(c.at)} s, ${text}` },
        c.by === "you" ? "▼" : "▽",
      ),
    );
    if (right || left)
      kids.push(h("span", { class: "km-mark-text" + (left ? " km-left" : ""), style }, text));
    edge = right ? x + w : x + 8;
  });
  return kids;
}

function words(c) {
  const args =
    c.action === "cut" ? c.args[0] : c.args.filter((x) => String(x).length < 24).join(" ");
  return `${c.by === "you" ? "you: " : ""}${c.action.replace(/_/g, " ")} ${args}`.trim();
}

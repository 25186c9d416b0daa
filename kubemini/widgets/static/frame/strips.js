// How requests fared over time, one row a kind, and the time itself with what was done in it.
import { MARKS, SECOND, h, put, s, seconds, width } from "../kit.js";

const TALL = 12; // px
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 43200, 86400]; // s
const APART = 72; // px between two ticks

const FATES = ["ok", "slow", "waiting", "unknown", "failed"]; // from the bottom up
const LONG = SECOND / 2; // an answer that takes longer is waited for (view/requests.py)

/** One row a series; a bucket's column is its share of each fate. */
export function drawStrips(strips, past) {
  const { bucket, series } = past.run.strip || { bucket: 1, series: [] },
    n = past.until / (bucket || 1);
  strips.replaceChildren(...series.map((row) => lane(row, bucket, n, late(row.name, past))));
}

/** The requests of a strip that were, or still are, waited for. */
const late = (name, past) =>
  past.requests.filter((r) => r.at - r.started >= LONG && seriesOf(r) === name);

function seriesOf({ kind, verb }) {
  if (kind === "service") return "visits";
  const what = /^get/i.test(verb) ? "reads" : "writes";
  return kind === "api" ? `API ${what}` : what;
}

function lane(row, bucket, n, waits) {
  const waiting = s("g", {}),
    g = s("svg", {
      viewBox: `0 0 ${n} ${TALL}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    });
  g.append(...row.ok.flatMap((_, i) => column(row, i, n)), waiting);
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
  made.kmRate = { rate, row, bucket, n, waits, waiting, drawn: "" };
  return made;
}

const asked = (row, i) => FATES.reduce((many, fate) => many + row[fate][i], 0);

function column(row, i, n) {
  let y = TALL;
  return FATES.filter((what) => row[what][i]).map((what) => {
    const height = Math.max(3, (TALL * row[what][i]) / asked(row, i));
    y -= height;
    return box("km-s-" + what, i, n, Math.max(0, y), height);
  });
}

const box = (name, i, n, y, height) =>
  s("rect", { class: name, x: i, y, width: Math.min(1, n - i) * 0.94, height });

/** Where something went wrong: {flag, from, to} in buckets; what lies close together is one. */
function flagged(row) {
  const flags = [];
  row.ok.forEach((_, i) => {
    const flag = ["failed", "unknown", "waiting", "slow"].find((what) => row[what][i]),
      before = flags[flags.length - 1];
    if (flag && before && before.flag === flag && before.to >= i - 2) before.to = i;
    else if (flag) flags.push({ flag, from: i, to: i });
  });
  return flags;
}

/** The share that is answered now, or was when somebody last asked; and how many wait, where they began. */
export function drawRates(strips, t) {
  for (const { kmRate } of strips.children) {
    const { rate, row, bucket, waits } = kmRate,
      now = waits.filter((r) => r.started <= t && r.at > t);
    let i = Math.min(row.ok.length - 1, Math.floor(t / bucket));
    while (i > 0 && !asked(row, i)) i--;
    const many = asked(row, i),
      well = many && Math.round((100 * (row.ok[i] + row.slow[i])) / many) + " %";
    put(rate, "text", now.length ? `${now.length} wait` : well || "–");
    drawWaiting(kmRate, now);
  }
}

/** Whoever waits now has no fate yet. */
function drawWaiting(lane, now) {
  const { row, bucket, n, waiting } = lane,
    begun = {};
  for (const r of now) {
    const i = Math.min(row.ok.length - 1, Math.floor(r.started / bucket));
    begun[i] = (begun[i] || 0) + 1;
  }
  const drawn = JSON.stringify(begun);
  if (drawn === lane.drawn) return;
  lane.drawn = drawn;
  const wait = ([i, many]) => {
    const height = Math.max(3, (TALL * many) / asked(row, +i));
    return box("km-s-waiting", +i, n, 0, height);
  };
  waiting.replaceChildren(...Object.entries(begun).map(wait));
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
  if (c.action === "kubectl") return deed(c.by, String(c.args[0]).split(" ").slice(0, 2).join(" "));
  const args =
    c.action === "cut" ? c.args[0] : c.args.filter((x) => String(x).length < 24).join(" ");
  return deed(c.by, `${c.action.replace(/_/g, " ")} ${args}`.trim());
}
const deed = (by, text) => (by === "you" ? `you: ${text}` : text);

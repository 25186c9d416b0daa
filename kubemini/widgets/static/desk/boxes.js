// What stands in a member's card and below the picture: log, database, keys, what clients were told.
import { MARKS, bytes, fit, h, s, seconds } from "../kit.js";

const BOX = 17; // px of an entry
const SHOWN = 6; // keys, and answers
const CLOSING = { style: "grid-column:3 / -1;color:var(--mute)" };

/** The last entries as boxes with their term; solid up to the commit index, dashed beyond it. */
export function drawLog(u, e, w) {
  const last = e.log.slice(-Math.floor((w - 22) / BOX)),
    key = JSON.stringify([last, e.commit >= e.last ? "all" : e.commit]);
  if (u.logKey === key) return;
  u.logKey = key;
  const { x, y } = u.b,
    boxes = last.flatMap(([index, term], i) =>
      entry(x + 11 + i * BOX, y + 47, term, index <= e.commit),
    );
  const end = (at, index, anchor) =>
    s("text", { class: "km-mute km-ip", x: at, y: y + 77, "text-anchor": anchor }, String(index));
  if (!last.length) boxes.push(s("text", { class: "km-mute", x: x + 12, y: y + 60 }, "empty log"));
  else boxes.push(end(x + 12, last[0][0], "start"));
  if (last.length > 1) boxes.push(end(x + 9 + last.length * BOX, last[last.length - 1][0], "end"));
  u.log.replaceChildren(...boxes);
}

function entry(x, y, term, done) {
  const box = s("rect", {
    class: done ? "km-box" : "km-box-open",
    x: x + 0.5,
    y,
    width: BOX - 3,
    height: 16,
    rx: 3,
  });
  const word = s(
    "text",
    {
      class: "km-box-t" + (done ? " km-box-solid-t" : ""),
      x: x + BOX / 2 - 1,
      y: y + 12,
      "text-anchor": "middle",
    },
    String(term),
  );
  return [box, word];
}

/** The database file in its quota: outlined what it takes on the disk, filled what is used of that. */
export function drawRoom(u, room, alarm, w) {
  const key = JSON.stringify([room, alarm]);
  if (u.roomKey === key) return;
  u.roomKey = key;
  if (!room) return u.room.replaceChildren();
  const x = u.b.x + 12,
    y = u.b.y + 85,
    full = w * 0.38,
    part = (n) => Math.max(1, Math.min(full, (full * n) / room.quota));
  const bar = (cls, width) => s("rect", { class: cls, x, y, width, height: 9, rx: 3 });
  const words = alarm
    ? "▲ " + alarm
    : fit(
        w * 0.62 - 30,
        10.5,
        `${bytes(room.size).replace(" MiB", "")} of ${bytes(room.quota)}`,
        bytes(room.size),
      );
  const text = s(
    "text",
    {
      class: "km-ip " + (alarm ? "km-full" : "km-mute"),
      x: u.b.x + w - 12,
      y: y + 9,
      "text-anchor": "end",
    },
    words,
  );
  u.room.replaceChildren(
    bar("km-quota", full),
    bar("km-file", part(room.size)),
    bar("km-used", part(room.in_use)),
    text,
  );
}

/** The newest keys. */
export function drawKeys(list, st) {
  const rows = Object.entries(st.keys)
      .sort((a, b) => b[1].revision - a[1].revision)
      .slice(0, SHOWN),
    key = JSON.stringify([st.revision, rows]);
  if (list.kmKey === key) return;
  list.kmKey = key;
  const row = ([k, v]) =>
    h(
      "li",
      v.revision === st.revision ? { class: "km-new" } : {},
      h("span", { title: k }, k),
      h("span", { title: v.value }, v.value),
      h("i", {}, "r" + v.revision),
    );
  list.replaceChildren(
    ...(rows.length ? rows.map(row) : [h("li", {}, h("span", {}, "no keys yet"))]),
  );
}

/** The newest answers of *told*, of which *n* have come. */
export function drawOutcomes(list, told, n) {
  if (list.kmKey === n && list.kmTold === told) return;
  Object.assign(list, { kmKey: n, kmTold: told });
  const rows = told.slice(Math.max(0, n - SHOWN), n).reverse(),
    none = () => h("li", {}, h("b"), h("i", {}, ""), h("span", {}, "nothing asked yet"));
  list.replaceChildren(...(rows.length ? rows.map(answer) : [none()]));
}

function answer(r) {
  const path = r.path.replace(/^.*\/namespaces\/[^/]+\//, ""),
    asked = `${r.verb} ${path}${r.answer != null ? " = " + r.answer : ""}`,
    good = r.outcome === "ok";
  return h(
    "li",
    {},
    h("b", { class: "km-o-" + r.outcome }, MARKS[r.outcome]),
    h("i", {}, seconds(r.at)),
    h("span", { title: `${r.from}: ${r.verb} ${r.path}` }, asked),
    h("span", {}, good ? took(r) : `${r.outcome} ${took(r)}`),
    r.why && !good ? h("span", { ...CLOSING, title: r.why }, r.why) : null,
  );
}

function took(r) {
  const ms = (r.at - r.started) / 1000;
  return ms >= 1000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

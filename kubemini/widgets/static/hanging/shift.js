// Before and now: how many clients hang on each server just before the last deed and at this moment, and who has moved.
import { h, plural, put, seconds, upto } from "../kit.js";
import { NOBODY, isSilent, server } from "./piles.js";

export class Shift {
  constructor() {
    this.words = h("p", { class: "km-shift-words" });
    this.rows = h("div", { class: "km-shift-rows", "aria-hidden": "true" });
    this.told = h("section", {}, h("div", { class: "km-h4" }, "Kept connections"), this.words);
    this.table = h("div", {
      class: "km-shift-table",
      role: "group",
      tabindex: "0",
      "aria-label": "Who moved from which server to which",
    });
    this.node = h(
      "div",
      { class: "km-under" },
      h("section", {}, h("div", { class: "km-h4" }, "Before the last deed, and now"), this.rows),
      h("section", {}, this.table),
    );
  }

  setRun(history, piles) {
    Object.assign(this, { history, piles, known: {}, drawn: "" });
    this.deeds = [...new Set(history.commands.map((c) => c.at))];
  }

  /** When the last thing was done, or null. */
  deed(t) {
    return this.deeds[upto(this.deeds, t) - 1] ?? null;
  }

  /** {client: server} just before the last deed; null if nothing has been done. */
  before(t) {
    const at = this.deed(t);
    if (at == null) return null;
    return (this.known[at] ||= this.map(this.history.at(Math.max(0, at - 1))));
  }
  map(st) {
    return Object.fromEntries(this.piles.clients.map((c) => [c, server(st, c)]));
  }

  /** Draw this moment; gives what was before. */
  draw(st, t) {
    const now = this.map(st),
      at = this.deed(t),
      was = this.before(t),
      waits = this.piles.clients.filter((c) => now[c] && isSilent(st, c)).length,
      key = JSON.stringify([now, at, waits]);
    if (this.drawn === key) return was;
    this.drawn = key;
    put(this.words, "text", sentence(now, was, at, waits));
    const { servers, clients } = this.piles,
      count = (map, on) => clients.filter((c) => map && map[c] === on).length;
    this.rows.replaceChildren(
      ...servers.map((on) => row(on, count(now, on), was && count(was, on), clients.length)),
    );
    this.table.replaceChildren(...this.sheet(now, was, at));
    return was;
  }

  /** From whom to whom, as a table of numbers; then who. */
  sheet(now, was, at) {
    const { servers, clients, narrow } = this.piles,
      ends = [...servers, NOBODY],
      name = (on) => (on ? (narrow ? on.replace("apiserver", "api") : on) : "nobody");
    const first = was || now,
      cell = (a, b) => clients.filter((c) => first[c] === a && now[c] === b).length;
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, was ? `at ${seconds(at, 0)} s ↓ now →` : "on"),
      ends.map((on) => h("th", { scope: "col" }, name(on))),
    );
    const line = (a) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name(a)),
        ends.map((b) =>
          h("td", a === b ? {} : { class: cell(a, b) ? "km-went" : "" }, String(cell(a, b))),
        ),
      );
    return [h("table", {}, h("thead", {}, head), h("tbody", {}, ends.map(line)))];
  }
}

function sentence(now, was, at, waits) {
  const clients = Object.keys(now),
    on = clients.filter((c) => now[c]).length;
  const silent = waits
    ? ` ${waits} ${waits === 1 ? "hangs" : "hang"} on one that does not answer.`
    : "";
  if (!was)
    return `${on} of ${plural(clients.length, "client")} ${on === 1 ? "hangs" : "hang"} on a server.${silent}`;
  const moved = clients.filter((c) => now[c] && was[c] !== now[c]).length,
    lost = clients.filter((c) => !now[c] && was[c]).length,
    parts = [
      moved && `${moved} moved`,
      lost && `${lost} lost ${lost === 1 ? "its" : "their"} server`,
    ];
  return `Since ${seconds(at)} s: ${parts.filter(Boolean).join(", ") || "nobody moved"}.${silent}`;
}

function row(on, n, was, most) {
  const share = (x) => `width:${((100 * x) / Math.max(1, most)).toFixed(1)}%`;
  return h(
    "div",
    {},
    h("span", {}, on),
    h(
      "div",
      {},
      h("i", { class: "km-shift-now", style: share(n) }),
      was != null && h("i", { class: "km-shift-was", style: share(was) }),
    ),
    h("b", {}, was != null && was !== n ? `${was} → ${n}` : String(n)),
  );
}

// The scheduler's table: a column a node, a row a plugin; on a phone a card a node. A verdict or a score is text, mark,
// shape and colour; which node is looked at is said by aria-pressed.
import { button, h } from "../kit.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };

/** The rows of a table: plugins that filter, then those that score; the quiet ones together unless *all*. */
export function rowsOf(view, all) {
  const speaks = (name) => view.nodes.some((node) => node.refused[name]);
  const counts = (name) =>
    view.nodes.some((node) => node.scores[name] && node.scores[name].some((x) => x !== 0));
  const some = (list, loud) => [list.filter(loud), all ? [] : list.filter((x) => !loud(x))];
  const [filters, quiet] = some(view.filters, all ? () => true : speaks);
  const [scores, zeros] = some(view.scores, all ? () => true : ([name]) => counts(name));
  return { filters, quiet, scores, zeros: zeros.map(([name]) => name) };
}

/** What stands over a node: {word, mark, kind}. */
export function verdict(view, node) {
  const first = view.filters.find((name) => node.refused[name]);
  if (node.name === view.node) return { mark: "★", word: "chosen", kind: "chosen" };
  if (view.preempts && view.preempts[0] === node.name)
    return { mark: "⚑", word: "makes room", kind: "room" };
  if (first && node.asked) return { mark: "✕", word: "refused", kind: "no" };
  if (!node.asked) return { mark: "·", word: "not asked", kind: "idle" };
  if (node.total !== null && view.best.includes(node.name))
    return { mark: "=", word: "as good", kind: "ok" };
  return { mark: "✓", word: "fits", kind: "ok" };
}

export class Grid {
  constructor(choose) {
    this.choose = choose;
    this.node = h("div", { class: "km-pic km-sched-pic" });
  }

  draw(view, state, { chosen, all, narrow, detail }) {
    const had = this.node.contains(document.activeElement);
    Object.assign(this, { view, state, chosen, rows: rowsOf(view, all) });
    this.heads = [];
    this.node.replaceChildren(narrow ? this.cards(detail) : this.table());
    if (had) this.focus();
  }

  focus() {
    const head = this.heads.find((b) => b.dataset.node === this.chosen);
    if (head) head.focus();
  }

  /** The button over a node: its name, what came of it, where it stands. */
  head(node) {
    const { mark, word, kind } = verdict(this.view, node),
      place = this.state.nodes.find((x) => x.name === node.name),
      on = node.name === this.chosen;
    const zone = place && place.zone ? `zone ${place.zone} · ` : "";
    const made = button("", () => this.choose(node.name), {
      class: `km-b km-sched-head km-sched-${kind}`,
      "aria-pressed": String(on),
      "data-node": node.name,
      onkeydown: (ev) => this.step(ev, node),
    });
    made.append(
      h("b", {}, node.name),
      h("span", { class: "km-sched-word" }, h("i", { "aria-hidden": "true" }, mark), ` ${word}`),
      h("small", {}, node.asked ? `${zone}asked ${ordinal(node.turn)}` : `${zone}not asked`),
    );
    this.heads.push(made);
    return made;
  }

  step(ev, node) {
    const by = STEPS[ev.key];
    if (!by) return;
    const at = this.view.nodes.indexOf(node),
      next = this.view.nodes[at + by];
    ev.preventDefault();
    if (next) {
      this.chosen = next.name;
      this.choose(next.name, true);
      this.focus();
    }
  }

  // -- wide
  table() {
    const { view } = this,
      { nodes } = view;
    const heads = nodes.map((n) => h("th", { scope: "col", class: this.lit(n) }, this.head(n)));
    const corner = h("th", { scope: "col" }, h("span", { class: "km-sr" }, "plugin"));
    return h(
      "table",
      { class: "km-sched-grid" },
      h("caption", { class: "km-sr" }, `Each plugin's word on each node, for ${view.pod}`),
      h("thead", {}, h("tr", {}, corner, heads)),
      h("tbody", {}, this.body(nodes)),
    );
  }

  lit(node) {
    return node.name === this.chosen ? "km-sched-lit" : "";
  }

  /** A row a plugin that has something to say; those that have not in a line together. */
  body(nodes) {
    const { view, rows } = this;
    const line = (kind, name, small, words) =>
      h(
        "tr",
        { class: kind },
        h("th", { scope: "row" }, broken(name), h("small", {}, small)),
        nodes.map((n) => h("td", { class: this.lit(n) }, words(n))),
      );
    const sum = (n) => total(view, n);
    return [
      ...rows.filters.map((name) =>
        line("km-sched-f", name, "may it?", (n) => refusal(view, n, name)),
      ),
      this.quiet(rows.quiet, nothing(rows.quiet), nodes.length),
      ...rows.scores.map(([name, weight]) =>
        line("km-sched-s", name, `× ${weight}`, (n) => score(n, name, weight)),
      ),
      this.quiet(rows.zeros, zero(rows.zeros), nodes.length),
      view.scores.length ? line("km-sched-t", "Total", "", sum) : null,
    ];
  }

  quiet(names, words, many) {
    if (!names.length) return null;
    return h(
      "tr",
      { class: "km-sched-q" },
      h("td", { colspan: String(many + 1) }, h("b", {}, names.join(", ")), ` ${words}`),
    );
  }

  // -- a phone
  cards(detail) {
    return h(
      "ul",
      { class: "km-sched-cards" },
      this.view.nodes.map((node) => {
        const on = node.name === this.chosen;
        return h(
          "li",
          { class: on ? "km-sched-open" : "" },
          this.head(node),
          on ? this.card(node) : null,
          on ? detail : null,
        );
      }),
    );
  }

  card(node) {
    const { view, rows } = this;
    const row = (name, small, kids) =>
      h("div", {}, h("dt", {}, broken(name), h("small", {}, small)), h("dd", {}, kids));
    const quiet = (names, words) =>
      names.length
        ? h("div", { class: "km-sched-q" }, h("dt", {}, names.join(", ")), h("dd", {}, words))
        : null;
    return h(
      "dl",
      { class: "km-sched-card" },
      rows.filters.map((name) => row(name, "may it?", refusal(view, node, name))),
      quiet(rows.quiet, nothing(rows.quiet)),
      node.total === null
        ? null
        : [
            ...rows.scores.map(([name, weight]) =>
              row(name, `× ${weight}`, score(node, name, weight)),
            ),
            quiet(rows.zeros, zero(rows.zeros)),
            row("Total", "", total(view, node)),
          ],
    );
  }
}

const nothing = (names) => `${names.length > 1 ? "have" : "has"} nothing against any node`;
const zero = (names) => `${names.length > 1 ? "give" : "gives"} 0 to every node`;
/** The name of a plugin, which may be broken between its words. */
const broken = (name) =>
  name.split(/(?=[A-Z][a-z])/).flatMap((word, i) => (i ? [h("wbr"), word] : [word]));
const ordinal = (n) =>
  `${n}${n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th"}`;

function refusal(view, node, name) {
  const said = node.refused[name];
  if (!said) return h("span", { class: "km-sched-yes" }, "✓");
  const first = view.filters.find((x) => node.refused[x]) === name;
  return h(
    "span",
    { class: first ? "km-sched-refuses" : "km-sched-also" },
    h("i", {}, first ? "✕ " : "(✕) "),
    said[0].map((text) => text.replace(/^node\(s\) /, "")).join(", "),
  );
}

function score(node, name, weight) {
  const marks = node.scores[name];
  if (!marks) return [h("span", { class: "km-sched-none" }, "–")];
  const [raw, share, weighted] = marks;
  const how = `${raw} → ${share} × ${weight}`;
  return [
    h("b", {}, String(weighted)),
    " ",
    h("small", {}, how),
    h("i", { class: "km-sched-bar", style: `--share: ${share}%`, "aria-hidden": "true" }),
  ];
}

function total(view, node) {
  if (node.total === null) return [h("span", { class: "km-sched-none" }, "–")];
  const tie = view.best.length > 1 && view.best.includes(node.name);
  return [h("b", {}, String(node.total)), " ", tie ? h("small", {}, "equal") : null];
}

/** All nodes in the order of the search, a mark each, where there are more than a table can hold. */
export function strip(view) {
  const words = { "*": "chosen", o: "fits", x: "refused", ".": "not asked" };
  const marks = { "*": "★", o: "", x: "✕", ".": "" };
  const cell = (letter, i) =>
    h(
      "i",
      {
        class: `km-sched-n km-sched-n-${words[letter].replace(" ", "-")}${i === view.start ? " km-sched-first" : ""}`,
      },
      i === view.start && letter !== "*" ? "▸" : marks[letter],
    );
  const count = (letter) => [...view.strip].filter((x) => x === letter).length;
  const key = ["*", "o", "x", "."]
    .filter(count)
    .map((letter) =>
      h(
        "span",
        {},
        h(
          "i",
          { class: `km-sched-n km-sched-n-${words[letter].replace(" ", "-")}` },
          marks[letter],
        ),
        ` ${count(letter)} ${words[letter]}`,
      ),
    );
  return [
    h(
      "div",
      { class: "km-sched-strip", role: "img", "aria-label": view.searched },
      [...view.strip].map(cell),
    ),
    h("p", { class: "km-sched-key" }, key, h("span", {}, "framed: where the search began")),
  ];
}

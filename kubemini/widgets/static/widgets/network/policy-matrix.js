// Policy matrix: who may connect to whom, pod by pod, under the policies that are switched on, and which rule decided.
// Model: run {header, ends: [{name, port}], policies: [{name, text}], words: [[allowed, rule], …], subsets: [[egress,
// ingress, …] for each subset of policies: bit n is the n-th]}, caption, options {on}. All is recorded.
import {
  attach,
  button,
  captionOf,
  h,
  headings,
  opener,
  plural,
  put,
  sentences,
  shell,
} from "../../kit.js";

const FREE = [true, "nobody enforces policies here"];
const MARKS = { ok: "✓", out: "out", in: "in", both: "both" };
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

class PolicyMatrix {
  constructor(model, el) {
    const run = model.get("run");
    Object.assign(this, run, { model, enforced: true, chosen: null });
    this.called = this.ends.filter((end) => end.port);
    const on = (model.get("options") || {}).on;
    this.on = this.policies.map((policy) => !on || on.includes(policy.name));
    this.pairs = this.ends.flatMap((from) =>
      this.called.filter((to) => to.name !== from.name).map((to) => [from, to]),
    );
    this.parts();
    attach(el, this.root, model);
    this.draw();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.rule = h("p", { class: "km-rule" });
    this.switches = this.policies.map((policy, i) =>
      button(policy.name, () => this.turn(() => (this.on[i] = !this.on[i])), {}),
    );
    this.bCni = button(
      "a CNI that enforces",
      () => this.turn(() => (this.enforced = !this.enforced)),
      {},
    );
    this.text = h("pre", {
      class: "km-manifests",
      hidden: true,
      tabindex: "0",
      role: "group",
      "aria-label": "The policies that are on",
    });
    this.bText = opener("YAML", this.text);
    this.root = shell(
      "policy-matrix",
      "policy matrix",
      sentences(this.head, this.second),
      h("div", { class: "km-pic" }, this.grid()),
      this.rule,
      h("div", { class: "km-bar" }, this.bar()),
      this.text,
      this.voice,
      captionOf(this.model),
    );
  }

  bar() {
    return h(
      "div",
      { class: "km-ctl", role: "group", "aria-label": "what is in force" },
      h("span", { class: "km-lab" }, "policies"),
      this.switches,
      this.bCni,
      h("span", { class: "km-sp" }),
      this.bText,
    );
  }

  /** Rows call, columns are called. One cell has the focus; arrows go from cell to cell. */
  grid() {
    this.cells = new Map();
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, "from \\ to"),
      this.called.map((to) => h("th", { scope: "col" }, to.name, h("small", {}, `:${to.port}`))),
    );
    const rows = this.ends.map((from) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, from.name),
        this.called.map((to) => h("td", {}, from === to ? null : this.cell(from, to))),
      ),
    );
    return h("table", { class: "km-grid-of-pods" }, h("thead", {}, head), h("tbody", {}, rows));
  }

  cell(from, to) {
    const key = `${from.name} ${to.name}`,
      choose = () => this.choose(key);
    const cell = h("button", {
      type: "button",
      class: "km-cell",
      tabindex: "-1",
      onclick: choose,
      onfocus: choose,
      onmouseenter: choose,
      onkeydown: (ev) => this.step(ev, from, to),
    });
    this.cells.set(key, cell);
    return cell;
  }

  step(ev, from, to) {
    if (!STEPS[ev.key]) return;
    const [down, right] = STEPS[ev.key];
    let row = this.ends.indexOf(from),
      column = this.called.indexOf(to),
      next = null;
    do {
      row += down;
      column += right;
      if (!this.ends[row] || !this.called[column]) return;
      next = this.cells.get(`${this.ends[row].name} ${this.called[column].name}`);
    } while (!next);
    ev.preventDefault();
    next.focus();
  }

  // -- what is true
  /** [[allowed, rule] going out, the same coming in] of pair *i*. */
  said(i) {
    if (!this.enforced) return [FREE, FREE];
    const bits = this.on.reduce((all, on, n) => all + (on ? 1 << n : 0), 0),
      row = this.subsets[bits];
    return [this.words[row[2 * i]], this.words[row[2 * i + 1]]];
  }

  turn(change) {
    change();
    this.draw();
    this.voice.textContent = `${this.head.textContent}. ${this.second.textContent}`;
  }

  choose(key) {
    if (this.chosen === key) return;
    this.chosen = key;
    this.draw();
  }

  // -- drawing
  draw() {
    let well = 0;
    this.chosen ||= `${this.pairs[0][0].name} ${this.pairs[0][1].name}`;
    this.pairs.forEach(([from, to], i) => {
      const [out, into] = this.said(i),
        key = `${from.name} ${to.name}`;
      const fate = out[0] ? (into[0] ? "ok" : "in") : into[0] ? "out" : "both";
      well += fate === "ok";
      this.show(this.cells.get(key), key, fate, from, to);
      if (key === this.chosen) this.explain(from, to, fate, out, into);
    });
    this.switches.forEach((b, i) => put(b, "aria-pressed", String(this.on[i])));
    put(this.bCni, "aria-pressed", String(this.enforced));
    put(this.head, "text", `${well} of ${this.pairs.length} connections may begin`);
    put(this.second, "text", this.situation());
    const shown = this.policies.filter((_, i) => this.on[i]).map((policy) => policy.text);
    put(this.text, "text", shown.join("---\n") || "# no policy\n");
  }

  situation() {
    const many = this.on.filter((x) => x).length,
      there = many ? plural(many, "policy", "policies") : "no policy";
    return this.enforced
      ? `${there} in force`
      : `${there} in the API, and a CNI that enforces none`;
  }

  show(cell, key, fate, from, to) {
    put(cell, "text", MARKS[fate]);
    put(cell, "class", `km-cell km-cell-${fate === "ok" ? "ok" : "no"}`);
    put(cell, "tabindex", key === this.chosen ? "0" : "-1");
    put(cell, "aria-current", key === this.chosen ? "true" : null);
    const denied = {
      out: "denied going out",
      in: "denied coming in",
      both: "denied on both sides",
    };
    put(cell, "aria-label", `${from.name} to ${to.name}: ${denied[fate] || "allowed"}`);
  }

  explain(from, to, fate, out, into) {
    const words = fate === "ok" ? "allowed" : "denied";
    this.rule.replaceChildren(
      h("b", {}, `${from.name} → ${to.name}:${to.port} is ${words}. `),
      h("span", {}, `Out of ${from.name}: `, h("code", {}, out[1])),
      h("span", {}, `; into ${to.name}: `, h("code", {}, into[1]), "."),
    );
  }
}

function render({ model, el }) {
  const made = new PolicyMatrix(model, el);
  return () => made.root.remove();
}
export default { render };

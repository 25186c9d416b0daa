// Packet walk: where a new connection goes, hop by hop through network namespaces, and which rule decides.
// Model: run {header, choices: {from, to, mode, trouble}, walks: {"from|to|mode|trouble": [walk, …]}, rules, words}; a
// walk is {share, fate, why, rule, flows, steps, hops, back}, see kubemini/study/walks.py. All is recorded.
import { attach, button, captionOf, h, headings, plural, put, sentences, uid } from "../../kit.js";

const LABELS = { from: "from", to: "to", mode: "kube-proxy", trouble: "what broke" };
const GOOD = ["connected"];
const HOP = ["namespace", "device", "what", "before", "after", "ttl", "mtu", "rule"];

class PacketWalk {
  constructor(model, el) {
    Object.assign(this, { model, data: model.get("run"), pick: 0, at: 0 });
    this.uid = uid();
    this.parts();
    attach(el, this.root, model);
    this.turn();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.selects = Object.fromEntries(Object.keys(LABELS).map((name) => [name, this.select(name)]));
    this.ways = ["hops", "back"].map((way) =>
      h("ol", {
        class: "km-walk-row",
        "aria-label": way === "hops" ? "the way there" : "and back",
      }),
    );
    this.detail = h("dl", { class: "km-walk-header" });
    this.rules = h("ol", { class: "km-walk-rules", tabindex: "0" });
    this.rulesName = h("p", { class: "km-walk-title" });
    this.flows = h("ul", { class: "km-walk-flows" });
    this.other = button("Another pick", () => this.turn({ pick: this.pick + 1 }), {});
    this.root = this.assembled();
  }

  select(name) {
    const id = `${this.uid}-${name}`;
    const options = this.data.choices[name].map((text) => h("option", { value: text }, text));
    const input = h("select", { id, onchange: () => this.turn({ pick: 0 }) }, options);
    return {
      input,
      node: h("div", { class: "km-walk-pick" }, h("label", { for: id }, LABELS[name]), input),
    };
  }

  assembled() {
    const top = sentences(this.head, this.second);
    const picks = Object.values(this.selects).map((x) => x.node);
    const step = (by) => () => this.go(this.at + by);
    const back = button("◂ hop", step(-1), { "aria-label": "previous hop" });
    const next = button("hop ▸", step(1), { "aria-label": "next hop" });
    const section = (title, ...body) => h("section", {}, title, body);
    const group = {
      class: "km km-packet-walk km-thin",
      role: "group",
      "aria-label": "packet walk",
    };
    return h(
      "div",
      { ...group, tabindex: "-1" },
      top,
      h(
        "div",
        { class: "km-walk-picks" },
        picks,
        h("div", { class: "km-walk-step" }, back, next, this.other),
      ),
      this.way("the way there", this.ways[0]),
      this.way("and back", this.ways[1]),
      h(
        "div",
        { class: "km-walk-beside" },
        section(h("p", { class: "km-walk-title" }, "the header at this hop"), this.detail),
        section(h("p", { class: "km-walk-title" }, "conntrack"), this.flows),
        section(this.rulesName, this.rules),
      ),
      this.voice,
      captionOf(this.model),
    );
  }

  way(title, row) {
    return h("div", { class: "km-walk-way" }, h("p", { class: "km-walk-title" }, title), row);
  }

  // -- what is shown
  word(n) {
    return this.data.words[n];
  }

  chosen(name) {
    return this.selects[name].input.value;
  }

  hop(row) {
    const texts = [0, 1, 2, 3, 4, 7];
    return Object.fromEntries(
      HOP.map((name, i) => [name, texts.includes(i) ? this.word(row[i]) : row[i]]),
    );
  }

  turn(change = { pick: 0 }) {
    const key = Object.keys(LABELS)
      .map((name) => this.chosen(name))
      .join("|");
    const branches = this.data.walks[key];
    this.pick = change.pick % branches.length;
    this.walk = branches[this.pick];
    this.listed = this.data.rules[`${this.chosen("mode")}|${this.chosen("trouble")}`];
    this.hops = ["hops", "back"].map((way) => this.walk[way].map((row) => this.hop(row)));
    this.all = this.hops.flat();
    this.say(branches);
    this.drawWays();
    this.drawFlows();
    this.go(this.deciding());
  }

  /** The hop where the rule that decided stands; else the last one of the way there. */
  deciding() {
    const rule = this.word(this.walk.rule);
    const found = this.all.findIndex((hop) => hop.rule === rule);
    return found < 0 ? this.hops[0].length - 1 : found;
  }

  say(branches) {
    const share = Math.round(100 * this.walk.share);
    put(this.head, "text", this.word(this.walk.why));
    put(this.second, "text", `decided by ${this.word(this.walk.rule)}`);
    put(
      this.head,
      "class",
      `km-head${GOOD.includes(this.word(this.walk.fate)) ? "" : " km-walk-bad"}`,
    );
    put(this.other, "disabled", branches.length < 2);
    const which = `Another pick (this: ${share} %)`;
    put(this.other, "text", branches.length < 2 ? "No pick here" : which);
    const hops = plural(this.hops[0].length, "hop");
    this.voice.textContent = `${this.head.textContent}. ${hops}. ${this.second.textContent}`;
  }

  drawWays() {
    this.boxes = [];
    this.ways.forEach((row, way) => {
      row.replaceChildren(...this.spaces(this.hops[way]));
      row.parentElement.hidden = !this.hops[way].length;
    });
  }

  /** Hops in a row, those of one namespace in one box. */
  spaces(hops) {
    const boxes = [];
    let last = null;
    for (const hop of hops) {
      if (!last || last.name !== hop.namespace) {
        last = { name: hop.namespace, list: h("ol", {}) };
        boxes.push(h("li", { class: "km-walk-space" }, h("b", {}, hop.namespace), last.list));
      }
      last.list.append(h("li", {}, this.box(hop)));
    }
    return boxes;
  }

  box(hop) {
    const number = this.boxes.length;
    const changed = hop.before !== hop.after ? " km-walk-changed" : "";
    const ended = /^(dropped|refused|lost|unreachable|expired|too big)/.test(hop.what);
    const made = button(`${ended ? "✕ " : ""}${hop.what}`, () => this.go(number), {
      class: `km-walk-hop${changed}${ended ? " km-walk-ended" : ""}`,
    });
    made.append(h("small", {}, hop.device));
    this.boxes.push(made);
    return made;
  }

  /** Look at one hop: its header, and the rules of its node with those that matched lit up. */
  go(number) {
    this.at = Math.min(Math.max(0, number), this.all.length - 1);
    this.boxes.forEach((box, i) => put(box, "aria-pressed", String(i === this.at)));
    const hop = this.all[this.at];
    const facts = [
      ["before", hop.before],
      ["after", hop.after],
      ["TTL", hop.ttl],
      ["MTU", `${hop.mtu} bytes`],
      ["why", hop.rule || "–"],
    ];
    this.detail.replaceChildren(
      ...facts.map(([name, value]) =>
        h("div", {}, h("dt", {}, name), h("dd", { class: this.moved(name, hop) }, String(value))),
      ),
    );
    this.drawRules(hop);
  }

  moved(name, hop) {
    return name === "after" && hop.before !== hop.after ? "km-walk-moved" : "";
  }

  drawRules(hop) {
    const node = this.listed[hop.namespace] ? hop.namespace : Object.keys(this.listed)[0];
    const steps = this.walk.steps
      .filter(([at]) => this.word(at) === node)
      .map(([, rule]) => this.word(rule));
    const decided = this.word(this.walk.rule);
    const matched = (rule) => steps.some((step) => step === rule || step.startsWith(`${rule} →`));
    put(this.rulesName, "text", `rules of ${node}`);
    put(this.rules, "aria-label", `rules of ${node}`);
    const rows = this.listed[node].map((n) => {
      const rule = this.word(n),
        at = decided === rule || decided.startsWith(`${rule} →`);
      const lit = at ? "km-walk-decided" : matched(rule) ? "km-walk-matched" : "";
      const mark = at ? "▶ decided: " : matched(rule) ? "· matched: " : "";
      return h("li", { class: lit }, mark ? h("b", {}, mark) : null, rule);
    });
    this.rules.replaceChildren(...rows);
    const seen =
      this.rules.querySelector(".km-walk-decided") || this.rules.querySelector(".km-walk-matched");
    const above = seen && (seen.previousElementSibling || seen); // one whole rule stands above it
    this.rules.scrollTop = above ? above.offsetTop : 0;
  }

  drawFlows() {
    const rows = Object.entries(this.walk.flows).flatMap(([node, flows]) =>
      flows.map((n) => h("li", {}, h("b", {}, `${node} `), this.word(n))),
    );
    const none = h("li", {}, "no entry: nothing that was dropped or refused leaves one");
    this.flows.replaceChildren(...(rows.length ? rows : [none]));
  }
}

function render({ model, el }) {
  new PacketWalk(model, el);
}
export default { render };

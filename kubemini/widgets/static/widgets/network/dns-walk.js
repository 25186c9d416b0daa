// DNS walk: a program in a pod looks a name up; question after question, with the answer and what decided it.
// Model: run {header, names, walks: [{name, ndots, libc, search, first, again}]}, caption; first and again (ten seconds
// later, CoreDNS still has what it forwarded) are {steps: [{name, types, rcode, addresses, rule, outside}], addresses,
// error, queries, outside}. All is recorded.
import {
  attach,
  button,
  captionOf,
  h,
  headings,
  plural,
  put,
  sentences,
  shell,
  tableBox,
  textTable,
  uid,
  uniq,
} from "../../kit.js";

const MARK = { NOERROR: "✓", NODATA: "∅", NXDOMAIN: "✕" };
const MEANS = {
  NOERROR: "found",
  NODATA: "the name is there, without an address",
  NXDOMAIN: "no such name",
};

class DnsWalk {
  constructor(model, el) {
    const run = model.get("run");
    this.walks = run.lookups;
    this.ndotses = uniq(this.walks.map((x) => x.ndots));
    Object.assign(this, { model, shown: 0, libc: "glibc", time: "first" });
    this.uid = uid();
    this.parts(uniq(this.walks.map((x) => x.name)));
    attach(el, this.root, model);
    this.draw();
  }

  // -- the elements
  parts(names) {
    Object.assign(this, headings());
    this.conf = h("code", { class: "km-conf" });
    this.list = h("ol", { class: "km-walk", "aria-label": "the names that are tried, in order" });
    [this.table, this.bTable] = tableBox("The walk as a table");
    this.next = button("Next question", () => this.step(1), { class: "km-b km-main-b" });
    this.all = button("All", () => this.step(99));
    this.over = button("Start again", () => this.step(-99));
    this.name = this.choice("name", names);
    this.ndots = this.choice("ndots", this.ndotses);
    this.libcs = this.toggles("libc", ["glibc", "musl"]);
    this.times = this.toggles("time", [
      ["first", "first lookup"],
      ["again", "10 s later"],
    ]);
    this.root = this.assembled();
  }

  assembled() {
    const ways = h(
      "div",
      { class: "km-ctl", role: "group", "aria-label": "what is looked up, and how" },
      this.name.node,
      this.ndots.node,
      this.libcs.map((x) => x.node),
      this.times.map((x) => x.node),
    );
    const knobs = h(
      "div",
      { class: "km-ctl" },
      this.next,
      this.all,
      this.over,
      h("span", { class: "km-sp" }),
      this.bTable,
    );
    return shell(
      "dns-walk",
      "DNS walk",
      sentences(this.head, this.second),
      h("div", { class: "km-pic" }, this.conf, this.list),
      h("div", { class: "km-bar" }, ways, knobs),
      this.table,
      this.voice,
      captionOf(this.model),
    );
  }

  choice(label, values) {
    const id = `${this.uid}-${label}`;
    const select = h(
      "select",
      { id, onchange: () => this.turn(() => {}) },
      values.map((v) => h("option", { value: v }, String(v))),
    );
    if (label === "ndots") select.value = String(Math.max(...values));
    return {
      node: h("span", { class: "km-choice" }, h("label", { for: id }, label), " ", select),
      value: () => select.value,
    };
  }

  toggles(key, values) {
    return values.map((v) => {
      const [value, text] = Array.isArray(v) ? v : [v, v];
      const node = button(text, () => this.turn(() => (this[key] = value)));
      return { value, node, key };
    });
  }

  turn(change) {
    change();
    this.shown = 0;
    this.draw();
    this.speak();
  }

  step(by) {
    const last = this.walk().steps.length;
    this.shown = Math.max(0, Math.min(last, this.shown + by));
    this.draw();
    this.speak();
  }

  speak() {
    this.voice.textContent = `${this.head.textContent}. ${this.second.textContent}`;
  }

  // -- what is shown
  found() {
    const ndots = +this.ndots.value(),
      name = this.name.value();
    return this.walks.find((x) => x.name === name && x.ndots === ndots && x.libc === this.libc);
  }

  walk() {
    return this.found()[this.time];
  }

  asked(steps) {
    return steps.reduce((sum, x) => sum + x.types.split("+").length, 0);
  }

  draw() {
    const found = this.found(),
      walk = this.walk(),
      steps = walk.steps.slice(0, this.shown),
      over = this.shown === walk.steps.length;
    for (const x of [...this.libcs, ...this.times])
      put(x.node, "aria-pressed", String(this[x.key] === x.value));
    put(this.conf, "text", `search ${found.search} · options ndots:${found.ndots}`);
    this.list.replaceChildren(
      ...walk.steps.map((x, i) => this.row(x, i < this.shown, i === this.shown - 1)),
    );
    put(this.next, "disabled", over);
    put(this.all, "disabled", over);
    put(this.over, "disabled", !this.shown);
    this.say(found, walk, steps, over);
    this.fillTable(walk);
  }

  /** A name that is tried: before its turn only that there is one. */
  row(x, seen, now) {
    if (!seen) return h("li", { class: "km-ask km-later" }, h("span", { class: "km-name" }, "…"));
    const addresses = x.addresses.length
      ? h("span", { class: "km-got" }, x.addresses.join(", "))
      : null;
    return h(
      "li",
      { class: `km-ask km-${x.rcode.toLowerCase()}${now ? " km-now" : ""}` },
      h("span", { class: "km-name" }, x.name),
      h("span", { class: "km-types" }, x.types),
      h("span", { class: "km-code" }, `${MARK[x.rcode] || "?"} ${x.rcode}`),
      addresses,
      h(
        "span",
        { class: "km-rule" },
        `${x.rule}${x.outside ? `; ${plural(x.outside, "question")} sent outside` : ""}`,
      ),
    );
  }

  say(found, walk, steps, over) {
    const n = this.asked(steps),
      end = walk.error || walk.addresses.join(", ");
    const head = !this.shown
      ? `A program asks for ${found.name}: how many questions will it cost?`
      : `${plural(n, "question")} so far${over ? `, and the program is told: ${end}` : ""}`;
    const last = steps[steps.length - 1];
    const outside = plural(walk.outside, "question");
    const second = !this.shown
      ? `${found.libc}, ndots:${found.ndots}; ${found.name.split(".").length - 1} dots in the name`
      : over
        ? `${outside} left the cluster; CoreDNS answered the others ${walk.outside ? "itself" : "itself or from its cache"}`
        : `${last.rcode}: ${MEANS[last.rcode] || "no answer"}; the walk goes on`;
    put(this.head, "text", head);
    put(this.second, "text", second);
  }

  fillTable(walk) {
    const head = ["name", "types", "answer", "what decided"];
    const rows = walk.steps.slice(0, this.shown).map((x) => [x.name, x.types, x.rcode, x.rule]);
    this.table.replaceChildren(textTable("What was asked, and what came", head, rows));
  }
}

function render({ model, el }) {
  new DnsWalk(model, el);
}
export default { render };

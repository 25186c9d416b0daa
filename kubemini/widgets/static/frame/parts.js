// The elements of the frame, and who is called when they are used.
import { SPEEDS, button, columns, h, seconds, toggle } from "../kit.js";
import { Beneath } from "./beneath.js";
import { HELP } from "./keys.js";

const SLOWLY =
  "Messages and requests last about a millisecond. They are drawn slower than they travel, so that you can see them.";

export class Parts {
  constructor(widget, label) {
    const { uid, view } = widget;
    this.widget = widget;
    this.live = h("p", { class: "km-sr", "aria-live": "polite" });
    this.status = h("p", { class: "km-status", role: "status" });
    this.trouble = h("div", { class: "km-trouble", hidden: true, role: "alert" });
    this.caption = h("p", { class: "km-cap" });
    this.sentence();
    this.inspector(uid, view);
    this.timeline();
    this.times();
    this.buttons(uid);
    this.controls = h(
      "div",
      { class: "km-ctl" },
      this.play,
      this.back,
      this.next,
      this.speeds,
      h("label", { class: "km-lab" }, "seed ", this.seed),
      this.bLive,
      this.undo,
      this.reset,
      h("span", { class: "km-sp" }),
      this.python,
      this.link,
      this.bTable,
      this.bHelp,
      this.status,
    );
    this.boxes(uid, view);
    this.assemble(label);
  }

  assemble(label) {
    const { view, name } = this.widget;
    this.picture = h("div", { class: "km-pic" }, view.node);
    this.body = h("div", { class: "km-body" }, this.picture, this.side);
    const track = h(
      "div",
      { class: "km-track" },
      h("i", { class: "km-rail" }),
      this.done,
      this.range,
    );
    this.beneath = new Beneath();
    this.bar = h("div", { class: "km-bar" }, this.strips, track, this.marks, this.controls);
    this.frame = h("div", { class: "km-frame" }, this.top, this.body, this.trouble, this.bar);
    this.root = h(
      "div",
      { class: `km km-${name}`, role: "group", "aria-label": label, tabindex: "-1" },
      this.frame,
      this.beneath.node,
      this.table,
      this.help,
      this.live,
      this.caption,
    );
  }

  sentence() {
    this.tag = h("i", { class: "km-tag", "aria-hidden": "true" });
    this.head = h("b", { class: "km-head" });
    this.second = h("span", { class: "km-second" });
    this.when = h("span", { class: "km-when" });
    const line = h("p", { class: "km-now-line" }, this.tag, " ", this.head);
    this.top = h(
      "div",
      { class: "km-say" },
      h("div", { class: "km-true" }, line, this.second),
      this.when,
    );
  }

  inspector(uid, view) {
    this.title = h("div", { id: uid + "sel", class: "km-h4" });
    this.what = h("div", { class: "km-what" });
    this.acts = h("div", { class: "km-acts" });
    this.more = h("div", { class: "km-more" });
    this.log = h("ol", { class: "km-log" });
    const selected = h(
      "div",
      { class: "km-insp", role: "group", "aria-labelledby": uid + "sel" },
      this.title,
      this.what,
      this.acts,
      this.more,
    );
    this.side = h(
      "div",
      { class: "km-side" },
      h("div", { class: "km-do" }, ...(view.top || []), selected),
      h("section", {}, h("div", { class: "km-h4" }, "What happened"), this.log),
    );
  }

  timeline() {
    const { widget } = this;
    const drag = () => {
      widget.player.play(false);
      widget.player.seek(+this.range.value);
    };
    this.strips = h("div", { class: "km-strips" });
    this.range = h("input", {
      type: "range",
      class: "km-range",
      min: 0,
      step: 1000,
      "aria-label": "simulated time",
      oninput: drag,
      onchange: () => widget.announce(),
    });
    this.marks = h("div", { class: "km-marks", "aria-hidden": "true" });
    this.done = h("i", { class: "km-done" });
  }

  times() {
    const { widget } = this;
    this.play = button("", () => widget.player.play(!widget.player.playing), {
      class: "km-b km-main-b km-play",
    });
    this.back = button("◀", () => widget.player.step(-1), {
      "aria-label": "previous step",
      title: "previous step (←)",
    });
    this.next = button("▶|", () => widget.player.step(1), {
      "aria-label": "next step",
      title: "next step (→)",
    });
    this.speeds = h(
      "select",
      {
        class: "km-b",
        "aria-label": "speed",
        onchange: () => {
          widget.player.speed = +this.speeds.value;
        },
      },
      SPEEDS.map((v) => h("option", { value: v, selected: v === 1 }, v + "×")),
    );
  }

  buttons(uid) {
    const { widget } = this,
      size = widget.options.size || "6 MB";
    this.seed = h("input", {
      type: "number",
      class: "km-b km-seed",
      min: 0,
      step: 1,
      title: "another seed: other delays, other timeouts, the same rules",
      onchange: () => widget.asking.newSeed(),
    });
    this.bLive = button(`Go live · ${size}`, () => widget.asking.golive(), {
      class: "km-b km-live",
      title: "loads Python and the simulator into this page",
    });
    this.undo = button("Undo", () => widget.asking.back(), { title: "take back the last action" });
    this.reset = button("Reset", () => widget.asking.reset(), { title: "back to the recording" });
    this.python = button("Copy as Python", () => widget.python());
    this.link = button("Link", () => widget.link(), {
      title: "copy a link to this moment, this seed and these actions",
    });
    this.bTable = button("Table", () => this.showTable(), {
      "aria-expanded": "false",
      "aria-controls": uid + "table",
    });
    this.bHelp = button("?", () => this.showHelp(), {
      "aria-label": "keys",
      "aria-expanded": "false",
      "aria-controls": uid + "help",
    });
  }

  boxes(uid, view) {
    const rows = [...HELP, ...(view.keys || [])].map(([k, v]) =>
      h("div", {}, h("dt", {}, h("kbd", {}, k)), h("dd", {}, v)),
    );
    this.table = h("div", {
      class: "km-table",
      id: uid + "table",
      hidden: true,
      role: "group",
      "aria-label": "Everything that happened, as a table",
      tabindex: "0",
    });
    this.help = h(
      "div",
      { class: "km-help", id: uid + "help", hidden: true },
      h("dl", {}, rows),
      h("p", {}, SLOWLY),
    );
  }

  fillTable(past) {
    const { title, scenario, seed } = past.header;
    const rows = past.rows.map((r, i) =>
      h(
        "tr",
        { "data-i": i },
        h("td", {}, seconds(r.at, 3)),
        h("td", {}, r.who),
        h("td", {}, r.words),
      ),
    );
    this.table.replaceChildren(
      h(
        "table",
        {},
        h("caption", {}, `${title || scenario}, seed ${seed}`),
        columns(["seconds", "who", "what"]),
        h("tbody", {}, rows),
      ),
    );
  }

  showTable() {
    if (toggle(this.table, this.bTable)) this.table.focus();
  }
  showHelp() {
    toggle(this.help, this.bHelp);
  }
}

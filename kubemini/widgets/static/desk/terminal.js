// A kubectl line: where it is typed, and what it has printed by now, as on a terminal.
import { button, h, put, upto } from "../kit.js";

const SHOWN = 3; // lines that are still to be seen

/** The pane: *draw(history, t)* shows what was typed until *t*; there is nothing to see before that. */
export class Terminal {
  constructor(ctl) {
    this.ctl = ctl;
    this.pane = h("pre", {
      class: "km-typed",
      tabindex: "0",
      "aria-label": "what kubectl printed",
    });
    this.node = h("section", { hidden: true }, h("div", { class: "km-h4" }, "kubectl"), this.pane);
  }

  draw(history, t) {
    if (this.history !== history) {
      this.history = history;
      this.typed = history.records.filter((r) => r[2] === "typed");
    }
    const told = this.typed.slice(
      0,
      upto(this.typed, t, (r) => r[0]),
    );
    this.node.hidden = !told.length;
    const text = shown(told);
    if (this.pane.textContent === text) return;
    put(this.pane, "text", text);
    this.pane.scrollTop = this.pane.scrollHeight; // the newest stays in sight
  }

  /** Where a line is typed. */
  form() {
    const line = h("input", {
      placeholder: "get pods -o wide",
      "aria-label": "kubectl",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      class: "km-line",
    });
    const type = () => {
      const text = line.value.trim().replace(/^kubectl\s+/, "");
      if (text) this.ctl.act({ action: "kubectl", args: [text] });
    };
    line.addEventListener("keydown", (ev) => {
      ev.stopPropagation(); // letters are no deeds here
      if (ev.key === "Enter") type();
    });
    return h("div", { class: "km-form" }, line, button("Type kubectl", type));
  }
}

/** What stands on the terminal after the records *told*: each of the last lines with all that it has printed. */
export function shown(told) {
  const lines = new Map();
  for (const [, , , d] of told) {
    const before = lines.get(d.number) || { line: d.line, said: "" };
    lines.set(d.number, { line: d.line, said: before.said + (d.said || "") });
  }
  return [...lines.values()]
    .slice(-SHOWN)
    .map((x) => `$ kubectl ${x.line}\n${x.said}`)
    .join("");
}

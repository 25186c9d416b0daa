// A kubectl line of the reader's own, and the program that has crashed before it: run in the page, shown as the other.
import { h } from "../kit.js";
import { Errand } from "../requests/errand.js";

export class LineForm {
  constructor(widget, run) {
    this.errand = new Errand(widget, "lanes", (m) => widget.show(m.lanes));
    const id = (name) => `${widget.uid}-${name}`;
    const typed = { type: "text", spellcheck: "false", autocapitalize: "off", autocomplete: "off" };
    this.line = h("input", { ...typed, id: id("line"), value: run.lanes.typed });
    this.without = h(
      "select",
      { id: id("without") },
      h("option", { value: "" }, "nobody is missing"),
      run.programs.map((name) => h("option", { value: name }, `without ${name}`)),
    );
    this.without.value = run.lanes.without;
    const field = (text, input, cls) =>
      h("div", { class: `km-lane-field ${cls}` }, h("label", { for: input.id }, text), input);
    const submit = (ev) => {
      ev.preventDefault();
      this.errand.ask({ line: this.line.value, without: this.without.value });
    };
    const { send, status, trouble } = this.errand;
    this.node = h(
      "form",
      { class: "km-lane-form", "aria-label": "a line of your own", onsubmit: submit },
      field("kubectl", this.line, "km-lane-typed"),
      field("who is missing", this.without, ""),
      send,
      status,
      trouble,
    );
    this.errand.load("Type it");
  }
}

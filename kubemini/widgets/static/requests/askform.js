// A request of the reader's own: who asks, with which method and path, in which state the webhook is, what body. It is
// answered by the simulator; what is wrong with it is said in one sentence.
import { button, h } from "../kit.js";
import { Errand } from "./errand.js";

export class AskForm {
  constructor(widget, run) {
    this.widget = widget;
    this.errand = new Errand(widget, "request", (m) => widget.answered(m.walk));
    const choose = (list) =>
      h(
        "select",
        {},
        list.map((text) => h("option", { value: text }, text)),
      );
    const typed = () =>
      h("input", { type: "text", spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
    this.fields = {
      user: choose(run.users),
      hook: choose(run.hooks),
      method: choose(run.methods),
      path: typed(),
      body: h("textarea", { rows: 9, spellcheck: "false", autocapitalize: "off" }),
    };
    this.node = this.assembled();
    this.fill(run.cases.find((one) => one.asked).asked);
    this.errand.load("Send it");
  }

  assembled() {
    const labels = { user: "who asks", hook: "the webhook", method: "method", path: "path" };
    const field = (name, label) => {
      const input = this.fields[name];
      input.id = `${this.widget.uid}-${name}`;
      return h(
        "div",
        { class: `km-req-field km-req-f-${name}` },
        h("label", { for: input.id }, label),
        input,
      );
    };
    const submit = (ev) => {
      ev.preventDefault();
      this.errand.ask({ asked: this.asked() });
    };
    const { send, status, trouble } = this.errand;
    return h(
      "form",
      { class: "km-req-form", "aria-label": "a request of your own", onsubmit: submit },
      Object.entries(labels).map(([name, label]) => field(name, label)),
      field("body", "body, as JSON; leave it empty where nothing is sent"),
      h(
        "div",
        { class: "km-req-send" },
        send,
        button("Start from the good one", () => this.widget.copy(0)),
      ),
      status,
      trouble,
    );
  }

  fill(asked) {
    for (const [name, input] of Object.entries(this.fields)) input.value = asked[name];
    this.errand.blame("");
  }

  asked() {
    return Object.fromEntries(
      Object.entries(this.fields).map(([name, input]) => [name, input.value]),
    );
  }
}

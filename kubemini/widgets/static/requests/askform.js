// A request of the reader's own: who asks, with which method and path, in which state the webhook is, what body. It is
// answered by the simulator; what is wrong with it is said in one sentence.
import { button, h } from "../kit.js";

const PATIENCE = 30000; // ms
const SILENT =
  "The simulator has not answered for 30 seconds. Send it again, or load the page anew.";

export class AskForm {
  constructor(widget, run) {
    Object.assign(this, { widget, ids: 0, queued: null, watchdog: 0 });
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
    this.load();
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
    this.status = h("p", { class: "km-status", role: "status" });
    this.trouble = h("p", { class: "km-req-trouble", role: "alert", hidden: true });
    this.send = h("button", { type: "submit", class: "km-b km-main-b" });
    const submit = (ev) => {
      ev.preventDefault();
      this.ask();
    };
    return h(
      "form",
      { class: "km-req-form", "aria-label": "a request of your own", onsubmit: submit },
      Object.entries(labels).map(([name, label]) => field(name, label)),
      field("body", "body, as JSON; leave it empty where nothing is sent"),
      h(
        "div",
        { class: "km-req-send" },
        this.send,
        button("Start from the good one", () => this.widget.copy(0)),
      ),
      this.status,
      this.trouble,
    );
  }

  fill(asked) {
    for (const [name, input] of Object.entries(this.fields)) input.value = asked[name];
    this.blame("");
  }

  /** What the button says: the first time, what it loads. */
  load() {
    const { model, options } = this.widget;
    const size = model.get("kernel") === "recording" ? ` · ${options.size || "6 MB"}` : "";
    this.send.textContent = `Send it${size}`;
  }

  asked() {
    return Object.fromEntries(
      Object.entries(this.fields).map(([name, input]) => [name, input.value]),
    );
  }

  ask() {
    const { model } = this.widget;
    this.blame("");
    this.queued = this.asked();
    this.wait();
    if (model.get("kernel") !== "recording") return this.post();
    this.status.textContent = "Starting the simulator in this page…";
    model.send({ op: "golive" });
  }

  post() {
    const asked = this.queued;
    this.queued = null;
    this.status.textContent = "Asking…";
    this.wait();
    this.widget.model.send({ op: "request", id: `r${++this.ids}`, asked });
  }

  wait() {
    clearTimeout(this.watchdog);
    this.send.disabled = true;
    this.widget.root.dataset.busy = "1";
    const loading = this.queued && this.widget.model.get("kernel") === "recording";
    if (!loading) this.watchdog = setTimeout(() => this.blame(SILENT), PATIENCE);
  }

  /** It is over, with *text* for what went wrong. */
  blame(text) {
    clearTimeout(this.watchdog);
    this.send.disabled = false;
    delete this.widget.root.dataset.busy;
    this.status.textContent = "";
    this.trouble.textContent = text;
    this.trouble.hidden = !text;
  }

  heard(m) {
    if (m.op === "status") this.status.textContent = m.text;
    else if (m.op === "error" && (m.id == null || m.id === `r${this.ids}`)) {
      this.queued = null;
      this.blame(m.error);
    } else if (m.op === "request" && m.id === `r${this.ids}`) {
      this.blame("");
      this.widget.answered(m.walk);
    }
  }

  onKernel() {
    this.load();
    if (this.queued && this.widget.model.get("kernel") !== "recording") this.post();
  }

  close() {
    clearTimeout(this.watchdog);
  }
}

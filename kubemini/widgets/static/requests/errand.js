// A question of a reader's own to the simulator: it is started if it has to be, asked once, and waited for with
// patience; what is wrong is said in one sentence.
import { h } from "../kit.js";

const PATIENCE = 30000; // ms
const SILENT =
  "The simulator has not answered for 30 seconds. Send it again, or load the page anew.";

export class Errand {
  /** *op*: what is asked; *done*: called with the answer. */
  constructor(widget, op, done) {
    Object.assign(this, { widget, op, done, ids: 0, queued: null, watchdog: 0 });
    this.hears = { "msg:custom": (m) => this.heard(m), "change:kernel": () => this.onKernel() };
    this.status = h("p", { class: "km-status", role: "status" });
    this.trouble = h("p", { class: "km-req-trouble", role: "alert", hidden: true });
    this.send = h("button", { type: "submit", class: "km-b km-main-b" });
  }

  /** What the button says: the first time, what it loads. */
  load(text) {
    const { model, options } = this.widget;
    this.text = text || this.text;
    const size = model.get("kernel") === "recording" ? ` · ${options.size || "6 MB"}` : "";
    this.send.textContent = `${this.text}${size}`;
  }

  ask(fields) {
    const { model } = this.widget;
    this.blame("");
    this.queued = fields;
    this.wait();
    if (model.get("kernel") !== "recording") return this.post();
    this.status.textContent = "Starting the simulator in this page…";
    model.send({ op: "golive" });
  }

  post() {
    const fields = this.queued;
    this.queued = null;
    this.status.textContent = "Asking…";
    this.wait();
    this.widget.model.send({ op: this.op, id: `r${++this.ids}`, ...fields });
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
    if (this.widget.root) delete this.widget.root.dataset.busy;
    this.status.textContent = "";
    this.trouble.textContent = text;
    this.trouble.hidden = !text;
  }

  heard(m) {
    const mine = m.id === `r${this.ids}`;
    if (m.op === "status") this.status.textContent = m.text;
    else if (m.op === "error" && (m.id == null || mine)) {
      this.queued = null;
      this.blame(m.error);
    } else if (m.op === this.op && mine) {
      this.blame("");
      this.done(m);
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

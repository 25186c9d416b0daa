// Asking the simulator for another run, and going back.
import { SECOND, button, h, instant, plural } from "../kit.js";

const PATIENCE = 30000; // ms
const AFTER = 15; // s that a run goes on at least after a deed
const ONLY = "This copy of the book plays recordings only.";

export class Asking {
  constructor(widget) {
    Object.assign(this, { widget, undo: [], asked: null, queued: null, ids: 0, watchdog: 0 });
  }

  close() {
    clearTimeout(this.watchdog);
  }

  /** The reader's deeds at this moment; what he did later is dropped. */
  act(...deeds) {
    const { widget } = this;
    if (widget.locked()) return widget.gate.ask();
    const at = Math.ceil(widget.t / 1000) / 1000,
      mine = widget.past.header.commands || [];
    const kept = mine.filter((c) => instant(c[0]) <= at * SECOND);
    if (!widget.canLive()) return widget.say(ONLY);
    const commands = [...kept, ...deeds.map((d) => [at, d.action, ...d.args])];
    this.ask({ commands }, { at: Math.round(at * SECOND), dropped: mine.length - kept.length });
  }

  /** Ask for the run with other commands or another seed; the answer arrives as a new `run`. */
  ask(change, then = {}) {
    const { widget } = this,
      { header, until, run } = widget.past;
    const spec = {
      scenario: header.source || header.scenario,
      seed: header.seed,
      commands: header.commands || [],
      ...(header.params ? { params: header.params } : {}),
      until: Math.max(until / SECOND, Math.ceil((then.at || 0) / SECOND + AFTER)),
      ...change,
    };
    this.asked = { spec, then, was: run, resume: widget.player.playing };
    widget.player.play(false);
    this.begin("Starting the simulator in this page…");
  }

  begin(words) {
    const { widget } = this;
    widget.parts.trouble.hidden = true;
    widget.root.dataset.busy = "1";
    if (widget.kernel() !== "recording") return this.send();
    this.queued = this.asked;
    widget.say(words);
    widget.model.send({ op: "golive" });
  }

  golive() {
    this.widget.say("Starting the simulator…");
    this.widget.model.send({ op: "golive" });
  }

  resume() {
    if (this.queued) this.send();
  }

  send() {
    this.queued = null;
    this.widget.say("Simulating…");
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(
      () => this.fail("The simulation has not answered for 30 seconds: it may be running away."),
      PATIENCE,
    );
    const { name: picture, model } = this.widget;
    model.send({ op: "simulate", id: ++this.ids, spec: this.asked.spec, picture });
  }

  heard(m) {
    if (m.op === "status") this.widget.say(m.text);
    else if (m.op === "trace" && this.asked) this.widget.onRun();
    else if (m.op === "error") this.fail(m.error || "The simulation failed.");
  }

  /** A run has arrived: what was asked for it, if it was asked here. */
  answered() {
    const mine = this.asked;
    clearTimeout(this.watchdog);
    delete this.widget.root.dataset.busy;
    this.widget.parts.trouble.hidden = true;
    this.asked = null;
    return mine;
  }

  /** What is said of the run that was asked for. */
  changed({ spec, then, was }) {
    const many = then.dropped || 0;
    if (many)
      return `You acted in the past: ${plural(many, "later action was", "later actions were")} dropped. Undo brings ${many === 1 ? "it" : "them"} back.`;
    return spec.seed !== was.header.seed
      ? `Seed ${spec.seed}: other delays and timeouts, the same rules.`
      : "";
  }

  fail(text) {
    const { widget } = this,
      { parts } = widget,
      again = this.asked;
    clearTimeout(this.watchdog);
    delete widget.root.dataset.busy;
    widget.say("");
    const retry = () => {
      this.asked = again;
      this.begin("Starting the simulator again…");
    };
    const leave = () => {
      parts.trouble.hidden = true;
      this.asked = this.queued = null;
      this.reset();
    };
    parts.trouble.replaceChildren(
      h("p", {}, text),
      ...(again ? [button("Start again", retry, { class: "km-b km-main-b" })] : []),
      button("Back to the recording", leave),
    );
    parts.trouble.hidden = false;
    parts.seed.value = widget.past.header.seed;
  }

  newSeed() {
    const { widget } = this,
      { seed } = widget.parts,
      wish = Math.round(+seed.value),
      now = widget.past.header.seed;
    if (!widget.canLive()) widget.say(ONLY);
    else if (Number.isFinite(wish) && wish >= 0 && seed.value !== "" && wish !== now)
      return this.ask({ seed: wish });
    seed.value = now;
  }

  // -- back
  offer() {
    const { parts, past, base } = this.widget;
    parts.undo.hidden = !this.undo.length;
    parts.reset.hidden = !(
      this.undo.length ||
      (past.header.commands || []).length ||
      past.run !== base
    );
  }

  show(run, at) {
    const { model, player } = this.widget;
    model.set("run", run);
    player.seek(at);
    if (this.widget.kernel() === "jupyter") model.save_changes();
  }

  back() {
    const old = this.undo.pop();
    if (!old) return;
    this.asked = null;
    this.show(old.run, old.t);
    this.widget.say("Taken back.");
  }

  reset() {
    const { widget } = this,
      { base, past, t, player } = widget;
    this.undo = [];
    this.asked = null;
    widget.parts.seed.value = past.header.seed;
    if (past.run === base) {
      player.go(0);
      return widget.say("This is the recording.");
    }
    this.show(base, Math.min(t, base.header.until));
    widget.say("Back to the recording.");
  }
}

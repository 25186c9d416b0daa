// The frame around a picture: the sentence, what can be done, the strips and the time; and how they hang together.
// Invariant: everything on screen is a function of (run, t); a reader's deed asks for a new run, nothing else.
// Host: model keys run, kernel, caption, options; sends simulate | golive | link; receives status | trace | error.
import { describe } from "../describe.js";
import { History } from "../history.js";
import { MARKS, SECOND, clamp, copy, keepFocus, keepKeys, put, seconds, uid } from "../kit.js";
import { asHash, asPython } from "../links.js";
import { Asking } from "./asking.js";
import { Gate } from "./gate.js";
import { onKey } from "./keys.js";
import { Parts } from "./parts.js";
import { Player } from "./player.js";
import { Side } from "./side.js";
import { drawMarks, drawRates, drawStrips } from "./strips.js";

const NARROW = 620,
  WIDE = 860; // px of the widget: a phone, and room for two columns
const ROOMY = 1000; // px of window: from here on more than the picture fits above the time
const BEFORE = 2 * SECOND; // a recording opens when all is well, and soon something breaks

/** Put a widget into *el*. *make(widget)* gives its picture: {node, setRun(history, narrow), draw(now), has(name),
 * first(history)}, and if it likes {top, under: more boxes, more(sel, st): of the inspector, state(sel, st): when that
 * is made anew, keys: [[key, words, what]], giveUp(): on Escape, heals: it has a button of its own for that, said(t) and
 * describe(sel, t): sentences of its own}. */
export function widget({ model, el, name, label, make }) {
  const made = new Widget(model, el, name, label, make);
  return () => made.close();
}

class Widget {
  constructor(model, el, name, label, make) {
    Object.assign(this, {
      model,
      el,
      name,
      options: model.get("options") || {},
      past: null,
      sel: null,
    });
    this.base = model.get("run");
    this.uid = uid();
    this.calm = window.matchMedia
      ? window.matchMedia("(prefers-reduced-motion: reduce)")
      : { matches: false };
    this.narrow = false;
    this.shape = this.placed = "";
    this.view = make(this);
    this.parts = new Parts(this, label);
    this.player = new Player(this);
    this.asking = new Asking(this);
    this.gate = new Gate(this);
    this.side = new Side(this);
    this.root = this.parts.root;
    el.append(this.root);
    this.listen();
    this.player.t = Math.round((this.options.t0 ?? NaN) * SECOND);
    this.player.play(false);
    this.onRun();
    this.onKernel();
    this.onCaption();
    this.gate.draw();
    this.say("");
  }

  listen() {
    const { model, root } = this;
    root.addEventListener("keydown", (ev) => onKey(this, ev));
    keepKeys(root);
    this.events = [
      ["change:run", () => this.onRun()],
      ["change:kernel", () => this.onKernel()],
      ["change:caption", () => this.onCaption()],
      ["msg:custom", (m) => this.asking.heard(m)],
    ];
    for (const [what, f] of this.events) model.on(what, f);
    this.onMotion = () => this.past && this.draw();
    if (this.calm.addEventListener) this.calm.addEventListener("change", this.onMotion);
    this.watch = window.ResizeObserver ? new ResizeObserver(() => this.onSize()) : null;
    if (this.watch) this.watch.observe(root);
  }

  close() {
    this.player.play(false);
    this.asking.close();
    if (this.watch) this.watch.disconnect();
    for (const [what, f] of this.events) this.model.off(what, f);
    if (this.calm.removeEventListener) this.calm.removeEventListener("change", this.onMotion);
  }

  // -- what a picture may ask and say
  get history() {
    return this.past;
  }
  get t() {
    return this.player.t;
  }
  kernel() {
    return this.model.get("kernel") || "recording";
  }
  canLive() {
    return this.kernel() !== "recording" || this.options.live !== false;
  }
  locked() {
    return !!this.options.predict && !this.gate.prediction;
  }
  able() {
    return this.canLive() && !this.locked();
  }
  say(text) {
    this.parts.status.textContent = text || "";
  }
  act(...deeds) {
    this.asking.act(...deeds);
  }
  ask(change) {
    this.asking.ask(change);
  }

  select(to, spoken) {
    this.sel = to;
    this.side.renew();
    this.draw();
    if (spoken)
      this.parts.live.textContent = this.describe(to, this.past.at(this.t))
        .filter(Boolean)
        .join(". ");
  }

  /** What is true at *t*, [at, level, first sentence, second]: of what the picture shows, or of the whole cluster. */
  said(t) {
    return this.view.said ? this.view.said(t) : this.past.said(t);
  }
  /** A title and sentences about what is selected. */
  describe(sel, st) {
    const own = this.view.describe && this.view.describe(sel, this.t);
    return own || describe(sel, st, this.t, this.past);
  }

  announce() {
    const { past, t } = this,
      row = past.rows[past.happened(t) - 1],
      [, , first, second] = this.said(t);
    const happened = row && row.at === t ? `${row.who}: ${row.words}. ` : "";
    this.parts.live.textContent = `${seconds(t)} seconds. ${happened}${first} ${second || ""}`;
  }

  // -- drawing
  draw() {
    keepFocus(this.root, () => this.drawAll());
  }

  drawAll() {
    const { past, parts, t, sel, calm } = this,
      st = past.at(t),
      [, level, first, second] = this.said(t);
    put(parts.tag, "text", MARKS[level] || "●");
    put(parts.tag, "class", "km-tag km-" + level);
    put(parts.head, "text", first);
    put(parts.second, "text", second || "");
    put(parts.when, "text", `t = ${seconds(t)} s · seed ${past.header.seed}`);
    put(this.root, "data-level", level);
    put(this.root, "data-t", seconds(t, 3));
    parts.range.value = t;
    put(
      parts.range,
      "aria-valuetext",
      `${seconds(t)} of ${seconds(past.until, 0)} seconds. ${first}`,
    );
    parts.done.style.width = `calc((100% - 18px) * ${(t / past.until).toFixed(5)})`;
    const fly = past.flying(
      t,
      calm.matches ? 4000 : clamp(0.55 * this.player.speed, 0.25, 2.5) * SECOND,
    );
    if (calm.matches) for (const x of [...fly.messages, ...fly.requests]) x.f = 0.5;
    this.view.draw({ st, t, history: past, fly, sel });
    this.side.draw(st);
    drawRates(parts.strips, t);
    parts.beneath.draw(t);
  }

  // -- what the model says
  onRun() {
    const run = this.model.get("run"),
      { parts, player } = this;
    if (!run || !run.header) return this.say("There is no recording here.");
    const mine = this.asking.answered();
    this.past = new History(run);
    this.base ||= run;
    if (mine) this.asking.undo.push({ run: mine.was, t: this.t });
    else player.suit(this.past.until);
    parts.range.max = this.past.until;
    parts.seed.value = parts.seed.defaultValue = run.header.seed;
    if (Number.isNaN(this.t))
      player.t = Math.max(0, (this.past.commands[0] || { at: 0 }).at - BEFORE);
    this.shape = "";
    this.layout();
    if (!this.sel || !this.view.has(this.sel)) this.sel = this.view.first(this.past);
    drawStrips(parts.strips, this.past);
    drawMarks(parts.marks, this.past);
    parts.beneath.setRun(this.past);
    parts.fillTable(this.past);
    this.side.renew();
    this.asking.offer();
    player.seek(mine && mine.then.at != null ? mine.then.at : Math.min(this.t, this.past.until));
    this.say(mine ? this.asking.changed(mine) : "");
    this.announce();
    if (mine && mine.resume) player.play(true);
  }

  onKernel() {
    const kernel = this.kernel();
    put(this.root, "data-kernel", kernel);
    this.parts.bLive.hidden = kernel !== "recording" || this.options.live === false;
    this.parts.link.hidden = kernel === "jupyter";
    this.side.renew();
    if (kernel === "pyodide")
      this.say("The simulator runs in this page. Select a component and break it.");
    if (kernel !== "recording") this.asking.resume();
    if (this.past) this.draw();
  }

  onCaption() {
    this.parts.caption.textContent = this.model.get("caption") || "";
  }

  // -- copies
  async copied(text, words) {
    this.say((await copy(text)) ? words + "." : text);
  }
  python() {
    this.copied(asPython(this.past.header), "The Python call is on your clipboard");
  }
  link() {
    const host = this.el.closest("[id]"),
      hash = asHash(this.options.id || (host && host.id) || this.name, this.t, this.past.header);
    this.model.send({ op: "link", hash });
    this.copied(location.href.split("#")[0] + hash, "The link to this moment is on your clipboard");
  }

  // -- size
  onSize() {
    const was = this.shape;
    this.layout();
    if (this.past) {
      drawMarks(this.parts.marks, this.past);
      this.parts.beneath.setRun(this.past);
    }
    if (was !== this.shape) this.draw();
  }

  layout() {
    if (!this.past) return;
    const width = this.root.clientWidth || 900;
    const form = width < WIDE ? "thin" : window.innerHeight < ROOMY ? "wide" : "roomy";
    this.narrow = width < NARROW;
    this.root.classList.toggle("km-phone", this.narrow);
    this.root.classList.toggle("km-thin", form === "thin");
    if (this.placed !== form) {
      this.placed = form;
      this.arrange();
    }
    if (`${this.narrow}` !== this.shape) this.view.setRun(this.past, this.narrow);
    this.shape = `${this.narrow}`;
  }

  /** Who stands where; the same order for the eye and for Tab. Thin: picture, question, time, details. Wide: a question
   * stands beside the picture, and what was said to it above both, on one line. */
  arrange() {
    const form = this.placed,
      { body, bar, frame, picture, side } = this.parts,
      gate = this.gate.node,
      under = this.view.under || [];
    if (form === "thin") {
      body.after(gate);
      bar.after(side);
      side.append(...under);
      return;
    }
    body.append(side);
    if (this.locked()) side.prepend(gate);
    else body.before(gate);
    if (form === "roomy") picture.append(...under);
    else frame.after(...under);
  }
}

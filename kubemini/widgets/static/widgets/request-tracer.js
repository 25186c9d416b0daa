// Request tracer: one request walks the API server's chain; what each stage asked, and what it did. Broken requests are
// predicted before they run; a reader sends requests of his own to the simulator.
// Model: run {header, cases: [{name, what, asked, lesson, broken, walk}], users, hooks, methods, codes}, kernel, caption,
// options; a walk is {request, stages: [{stage, title, asks, verdict, why, brief, took, facts, diff, parts, also}], ended,
// answer}, see kubemini/requests/traced.py.
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
} from "../kit.js";
import { AskForm } from "../requests/askform.js";
import { Chain, WORDS } from "../requests/chain.js";
import { Guessing } from "../requests/guessing.js";
import { stageCard, took } from "../requests/stagecard.js";

const STEP = { changed: 900, refused: 900, answered: 700, passed: 420, idle: 240 }; // ms that it stands at a stage
const NARROW = 700; // px
const FIRST = "mutate"; // the stage that is open at first: the one that does most
const OWN = "own";

class RequestTracer {
  constructor(model, el) {
    const run = model.get("run");
    Object.assign(this, { model, run, options: model.get("options") || {} });
    Object.assign(this, { at: 0, known: 0, chosen: 0, mode: "seen", timer: 0, narrow: null });
    this.uid = uid();
    this.cases = [...run.cases];
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.guessing = new Guessing(this, run);
    this.chain = new Chain(
      this.uid,
      (i) => this.choose(i, true),
      (stage) => this.guessing.choose(stage, this.stages.find((x) => x.stage === stage).title),
    );
    this.parts();
    this.detach = attach(el, this.root, model, this.form.errand.hears, () => this.fit());
    this.pick(this.cases[0]);
    this.fit();
  }

  close() {
    clearTimeout(this.timer);
    this.form.errand.close();
    this.detach();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.when = h("span", { class: "km-when" });
    [this.table, this.bTable] = tableBox("The stages as a table");
    this.tabs = h("div", { class: "km-req-tabs", role: "group", "aria-label": "requests" });
    this.score = h("span", { class: "km-req-score" });
    this.line = h("div", { class: "km-req-line" });
    this.side = h("div", { class: "km-req-side", role: "group", "aria-label": "the stage" });
    this.body = h("div", { class: "km-req-body" }, this.chain.node, this.side);
    this.bPlay = button("▶ Play", () => this.toggle(), { class: "km-b km-main-b km-play" });
    this.bBack = button("◀", () => this.step(-1), { "aria-label": "previous stage" });
    this.bNext = button("▶|", () => this.step(1), { "aria-label": "next stage" });
    this.bEnd = button("To the end", () => this.end());
    this.bChange = button("Change this request", () => this.copy(this.cases.indexOf(this.case)));
    this.root = shell("request-tracer", "request tracer");
    this.form = new AskForm(this, this.run);
    this.assemble();
  }

  assemble() {
    const controls = h(
      "div",
      { class: "km-ctl" },
      this.bPlay,
      this.bBack,
      this.bNext,
      this.bEnd,
      h("span", { class: "km-sp" }),
      this.bChange,
      this.bTable,
    );
    this.bar = h("div", { class: "km-bar" }, controls);
    this.root.append(
      sentences(this.head, this.second, this.when),
      h("div", { class: "km-req-pick" }, this.tabs, this.score),
      this.line,
      this.form.node,
      this.guessing.said,
      this.body,
      this.bar,
      this.table,
      this.voice,
      captionOf(this.model),
    );
  }

  /** Whether a reader can ask for more than what is recorded. */
  live() {
    return this.model.get("kernel") !== "recording" || this.options.live !== false;
  }

  drawTabs() {
    let number = 0;
    const tab = (one) => {
      const broken = one.broken ? `Broken ${++number}` : "";
      const label = broken || { good: "A good one", yours: "Yours" }[one.name] || "Your own";
      const right = one.broken ? this.guessing.right(one) : null;
      const mark = right === null ? "" : right ? " ✓" : " ✕";
      const said = right === null ? "" : right ? ", predicted right" : ", predicted wrong";
      return button(label + mark, () => this.pick(one), {
        class: "km-b km-req-tab",
        "aria-pressed": String(one === this.case),
        "aria-label": `${label}${said}`,
        "data-case": one.name,
      });
    };
    const own = this.cases.find((one) => one.name === OWN) || { name: OWN, blank: true };
    const all = [...this.cases.filter((one) => one !== own), ...(this.live() ? [own] : [])];
    const had = this.tabs.contains(document.activeElement) && this.case.name;
    this.tabs.replaceChildren(...all.map(tab));
    if (had) this.tabs.querySelector(`[data-case="${had}"]`).focus();
    const broken = this.cases.filter((one) => one.broken),
      right = broken.filter((one) => this.guessing.right(one)).length;
    const said = broken.filter((one) => this.guessing.right(one) !== null).length;
    const left = said < broken.length ? `, ${broken.length - said} to go` : "";
    put(this.score, "text", said ? `${right} of ${plural(said, "prediction")} right${left}` : "");
  }

  // -- which request
  pick(one) {
    clearTimeout(this.timer);
    if (one.blank) return this.copy(0);
    this.case = one;
    this.stages = one.walk.stages;
    const guess = one.broken && this.guessing.right(one) === null;
    this.mode = guess ? "guess" : one.empty ? "empty" : "seen";
    this.known = this.mode === "seen" ? this.stages.length - 1 : -1;
    this.chosen = this.mode === "seen" ? this.opening() : -1;
    this.chain.build(this.stages, guess, null);
    if (guess) this.side.replaceChildren(...this.guessing.panel(one));
    this.draw();
  }

  /** The stage that is open when all is known: where it ended, or the one that does most. */
  opening() {
    const wanted = this.case.walk.ended === "answer" ? FIRST : this.case.walk.ended;
    const found = this.stages.findIndex((x) => x.stage === wanted && x.verdict !== "idle");
    return found < 0 ? this.last() : found;
  }

  /** The stage where it ended. */
  last() {
    return this.stages.findIndex((x) => x.stage === this.case.walk.ended);
  }

  /** Take the request of a case into the form. */
  copy(number) {
    const from = this.cases[number].asked ? this.cases[number] : this.cases.find((x) => x.asked);
    this.form.fill(from.asked);
    let own = this.cases.find((one) => one.name === OWN);
    if (!own) {
      own = { name: OWN, what: "", lesson: "", broken: false, empty: true, walk: from.walk };
      this.cases.push(own);
    }
    this.pick(own);
    this.form.fields.path.focus();
  }

  /** The simulator has answered. */
  answered(walk) {
    const own = this.cases.find((one) => one.name === OWN);
    Object.assign(own, { walk, empty: false });
    this.pick(own);
    this.play(own);
  }

  again(one) {
    this.guessing.forget(one);
    this.pick(one);
    this.chain.list.querySelector("input").focus();
  }

  // -- time
  play(one) {
    if (this.mode === "guess") this.chain.build(this.stages, false, null);
    this.mode = "walk";
    this.known = this.chosen = 0;
    if (this.still.matches) this.end();
    else this.tick();
    if (one.broken) this.bPlay.focus({ preventScroll: true });
    if (this.narrow) this.line.scrollIntoView({ block: "start" });
  }

  tick() {
    clearTimeout(this.timer);
    this.draw();
    const wait = STEP[this.stages[this.known].verdict] || 0;
    this.timer = setTimeout(() => {
      if (this.known >= this.last()) return this.end();
      this.known = this.chosen = this.known + 1;
      this.tick();
    }, wait);
  }

  toggle() {
    if (this.mode === "seen") return this.play(this.case);
    if (!this.timer) return this.tick();
    clearTimeout(this.timer);
    this.timer = 0;
    this.draw();
  }

  /** All is known. */
  end() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.mode = "seen";
    this.known = this.stages.length - 1;
    this.chosen = this.last();
    this.guessing.ended(this.case);
    this.draw();
    this.speak();
  }

  step(by) {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.mode === "walk") {
      if (by > 0 && this.known >= this.last()) return this.end();
      this.known = this.chosen = Math.max(0, this.known + by);
      this.draw();
      return this.speak();
    }
    this.choose(Math.min(this.stages.length - 1, Math.max(0, this.chosen + by)), true);
  }

  choose(i, speak) {
    if (this.mode === "walk" && i > this.known) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.chosen = this.mode === "seen" && i === this.chosen && this.narrow ? -1 : i;
    this.draw();
    if (speak && this.chosen >= 0) this.speak(this.stages[i]);
  }

  speak(one) {
    this.voice.textContent = one
      ? `${one.title}: ${WORDS[one.verdict]}. ${one.why}`
      : `${this.head.textContent}. ${this.second.textContent}`;
  }

  // -- what is shown
  draw() {
    const { mode, known, chosen } = this,
      walks = mode === "walk";
    this.root.dataset.mode = mode;
    const said = this.guessing.of(this.case);
    this.body.hidden = mode === "empty";
    this.chain.draw(this.stages, {
      known,
      chosen,
      now: walks ? known : -1,
      guess: mode === "seen" && said ? said.stage : null,
    });
    if (mode !== "guess")
      this.side.replaceChildren(
        ...(chosen < 0 ? [] : stageCard(this.stages[chosen], this.case.walk)),
      );
    if (mode === "seen" || walks) this.side.scrollTop = 0;
    this.place();
    this.drawTabs();
    this.say();
    this.drawLine();
    this.guessing.reveal(this.case, mode === "seen");
    this.drawControls();
  }

  drawControls() {
    const { mode } = this,
      busy = mode === "guess" || mode === "empty";
    const playing = mode === "walk" && this.timer;
    put(this.bar, "hidden", busy);
    put(this.bPlay, "text", playing ? "❚❚ Pause" : "▶ Play");
    put(this.bEnd, "disabled", mode !== "walk");
    put(this.bChange, "hidden", !this.live() || !this.case.asked || busy);
    put(this.bTable, "disabled", mode !== "seen");
    if (mode !== "seen" && !this.table.hidden) this.bTable.click();
    if (mode === "seen") this.fillTable();
  }

  say() {
    const { mode, case: one } = this,
      { walk } = one;
    const ms = this.stages.reduce((sum, x) => sum + x.took, 0);
    put(this.when, "text", mode === "seen" && ms >= 0.01 ? `took ${took(ms)}` : "");
    if (mode === "guess") return this.tell("Where does it end, and with which code?", one.what);
    if (mode === "empty")
      return this.tell("Ask what you like", "Change the request, and send it to the API server.");
    if (mode === "walk") {
      const now = this.stages[this.known];
      return this.tell(now.asks, now.why);
    }
    const end = this.stages[this.last()],
      failed = walk.answer.status >= 400 || !walk.answer.status;
    const head = `${walk.answer.said}, ${failed ? `at ${end.title}` : "after the whole chain"}`;
    this.tell(head, one.lesson || (failed ? walk.answer.message : one.what), failed);
  }

  tell(head, second, failed = false) {
    put(this.head, "text", head);
    put(this.head, "class", `km-head${failed ? " km-req-bad" : ""}`);
    put(this.second, "text", second);
  }

  /** The request in one line. */
  drawLine() {
    const { request } = this.case.walk,
      { asked } = this.case;
    this.line.hidden = this.case.name === OWN;
    this.form.node.hidden = this.case.name !== OWN;
    const hook = asked && asked.hook !== this.run.hooks[0] ? `the webhook ${asked.hook}` : "";
    this.line.replaceChildren(
      h("b", { class: "km-req-method" }, request.method),
      h("code", {}, request.path),
      h("span", { class: "km-req-who" }, `by ${request.user}`),
      hook ? h("span", { class: "km-req-hook" }, hook) : "",
    );
  }

  fillTable() {
    const rows = this.stages.map((x) => [x.title, x.asks, WORDS[x.verdict], x.why]);
    const head = ["stage", "what it asks", "verdict", "what happened"];
    this.table.replaceChildren(textTable("The way of this request", head, rows));
  }

  // -- room
  fit() {
    const narrow = this.root.clientWidth < NARROW;
    if (narrow === this.narrow) return;
    this.narrow = narrow;
    this.root.classList.toggle("km-req-narrow", narrow);
    this.draw();
  }

  /** What is said of a stage stands beside the chain; on a phone under its stage. */
  place() {
    const inside = this.narrow && this.mode === "seen" && this.chosen >= 0;
    const home = inside ? this.chain.rows[this.chosen].node : this.body;
    if (this.side.parentElement !== home) home.append(this.side);
    const told = this.chosen >= 0 && !(this.narrow && this.mode === "walk");
    this.side.hidden = this.mode !== "guess" && !told;
    if (this.mode === "walk") this.chain.place(this.known);
  }
}

function render({ model, el }) {
  const made = new RequestTracer(model, el);
  return () => made.close();
}
export default { render };

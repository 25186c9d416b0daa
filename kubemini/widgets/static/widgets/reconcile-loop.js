// A controller's loop: what the store says and what its cache says, row beside row; the watch between them; the work
// queue; the last decision and what it wrote. Clockwise, as the loop goes. What is drawn was decided in view/loop.py.
import { widget } from "../frame/frame.js";
import { h, put, upto } from "../kit.js";
import { deeds } from "../loop/loopdeeds.js";
import { Looks } from "../loop/looks.js";
import { Queue } from "../loop/queue.js";
import { Sheets } from "../loop/sheets.js";

const LIT = 0.35; // s of watching: how long an arrow stays lit
const STATES = {
  watches: ["●", "watched, revision"],
  lists: ["…", "lists all, has"],
  waits: ["‖", "waits, at revision"],
  cut: ["✕", "cut at revision"],
};

class ReconcileLoop {
  constructor(ctl) {
    this.ctl = ctl;
    const pick = (name) => () => ctl.select(name(), true);
    this.sheets = new Sheets(
      pick(() => this.store),
      pick(() => this.program),
    );
    this.queue = new Queue(pick(() => this.program));
    this.looks = new Looks((at) => ctl.player.go(at));
    this.watch = h("ul", { class: "km-loop-watch" });
    const arrow = (name, words) =>
      h("div", { class: `km-loop-arrow km-loop-${name}` }, h("span", {}, words));
    this.arrows = {
      watch: h("div", { class: "km-loop-arrow km-loop-to-cache" }, this.watch),
      keys: arrow("to-queue", "the key of what changed"),
      hand: arrow("to-plan", "a key in hand"),
      writes: arrow("to-store", "what it writes, back to the store"),
    };
    this.node = h(
      "div",
      { class: "km-loop" },
      this.sheets.store,
      this.arrows.watch,
      this.sheets.cache,
      this.arrows.keys,
      this.queue.node,
      this.arrows.hand,
      this.looks.node,
      this.arrows.writes,
      (this.bar = h("div", {
        class: "km-loop-bar",
        role: "group",
        "aria-label": "What you can do",
      })),
    );
    this.under = [this.looks.past];
    this.keys = [["n", "to the next decision", () => this.next()]];
  }

  has(name) {
    return !!this.history && name in this.history.at(0).programs;
  }
  first() {
    return this.program;
  }

  setRun(history) {
    const { loop } = history.run;
    Object.assign(this, { history, loop, program: loop.program, seen: -1 });
    const programs = history.topology.hosts.flatMap((x) => x.components);
    this.store = programs.find((name) => /^apiserver/.test(name));
    history.story = loop.moments.map(([at, said]) => [at, ...loop.parts[said]]);
    history.moments = [...new Set([...history.moments, ...loop.moments.map(([at]) => at)])].sort(
      (a, b) => a - b,
    );
    this.sheets.setRun(loop, this.store);
    this.looks.setRun(loop);
  }

  /** What is drawn at t: the parts of the last moment. */
  moment(t) {
    const { moments, parts } = this.loop,
      i = Math.max(0, upto(moments, t, (m) => m[0]) - 1),
      [at, , rows, heard, queue, look] = moments[i];
    return {
      i,
      at,
      rows: parts[rows],
      heard: parts[heard],
      queue: parts[queue],
      look: parts[look],
    };
  }

  draw({ st, t, sel }) {
    const now = this.moment(t);
    this.drawWatch(now.heard);
    this.sheets.draw(now, sel);
    this.queue.draw(now.queue, t, sel === this.program);
    this.looks.draw(now.look, t);
    this.light(now, t);
    this.drawBar(now);
    const { up, paused } = st.programs[this.program];
    put(this.node, "data-program", !up ? "down" : paused ? "paused" : "up");
  }

  drawWatch(heard) {
    const key = JSON.stringify(heard);
    if (key === this.heard) return;
    this.heard = key;
    const row = ([kind, state, revision]) =>
      h(
        "li",
        { class: `km-loop-${state}` },
        h("i", { "aria-hidden": "true" }, STATES[state][0], " "),
        h("b", {}, `${kind}s`),
        h("span", {}, STATES[state][1], revision ? ` ${revision}` : ""),
      );
    const none = () => h("li", { class: "km-loop-none" }, h("span", {}, "no watch"));
    this.watch.replaceChildren(...(heard.length ? heard.map(row) : [none()]));
  }

  /** An arrow is lit for a moment after something has gone along it. */
  light(now, t) {
    const fresh = t - now.at < LIT * this.ctl.player.speed * 1e6 && now.at > 0,
      before = this.loop.moments[Math.max(0, now.i - 1)],
      mine = this.loop.moments[now.i],
      changed = (n) => fresh && before[n] !== mine[n];
    const lit = {
      watch: changed(3),
      keys: changed(4) && now.queue.waiting.length + now.queue.again.length > 0,
      hand: changed(5),
      writes: changed(5) && !!now.look && now.look.wrote.length > 0,
    };
    for (const [name, arrow] of Object.entries(this.arrows))
      arrow.classList.toggle("km-lit", lit[name]);
  }

  /** To the next look that asked for something, or failed. */
  next() {
    const { player, t } = this.ctl,
      found = this.loop.looks.find(([at, , mark]) => at > t && mark !== "·");
    if (found) player.go(found[0]);
    else this.ctl.say("There is no later decision.");
  }

  /** What can be done now; made anew only when that is other than before. */
  drawBar(now) {
    const able = this.ctl.able(),
      key = JSON.stringify([now.rows, now.heard.map(([kind, state]) => [kind, state]), able]);
    if (key === this.offered || this.bar.contains(document.activeElement)) return;
    this.offered = key;
    const found = able ? deeds(this.ctl, this.program, now) : [];
    this.bar.hidden = !found.length;
    this.bar.replaceChildren(...found);
  }
}

const render = ({ model, el }) =>
  widget({
    model,
    el,
    name: "reconcile-loop",
    label: "A controller's loop",
    make: (ctl) => new ReconcileLoop(ctl),
  });
export default { render };

// Scheduler table: for one pod, each plugin's verdict or score for every node; why this node; what would have to change
// for another; where pods wait, and what wakes them. A reader changes the cluster, and the table follows.
// Model: run {header, cases: [{name, title, lesson, pod, look, view, state}], deeds, taints, classes, rules}, kernel,
// caption, options; a state is {pod, tried, views, nodes, machines, pods, queue, moves, lines, given}, see
// kubemini/explaining/stage.py, and a view is one table, see kubemini/explaining/data.py.
import {
  attach,
  button,
  captionOf,
  h,
  headings,
  opener,
  put,
  sentences,
  shell,
  uid,
} from "../kit.js";
import { Errand } from "../requests/errand.js";
import { deeds, moves, podList, queues } from "../scheduler/around.js";
import { PodForms, nodeDeeds } from "../scheduler/deeds.js";
import { Grid, strip } from "../scheduler/grid.js";

const NARROW = 700; // px

class SchedulerTable {
  constructor(model, el) {
    const run = model.get("run");
    Object.assign(this, { model, run, options: model.get("options") || {} });
    Object.assign(this, { all: false, narrow: null, mine: [], uid: uid() });
    this.grid = new Grid((name, spoken) => this.look(name, spoken));
    this.parts();
    const hears = {
      "msg:custom": (m) => this.errand.heard(m),
      "change:kernel": () => this.onKernel(),
    };
    this.detach = attach(el, this.root, model, hears, () => this.fit());
    this.pick(run.cases[0]);
    this.fit();
  }

  close() {
    this.errand.close();
    this.detach();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.when = h("span", { class: "km-when" });
    this.errand = new Errand(this, "placement", (m) => this.answered(m.state));
    this.tabs = h("div", { class: "km-req-tabs", role: "group", "aria-label": "stories" });
    this.views = h("div", {
      class: "km-ctl km-sched-views",
      role: "group",
      "aria-label": "which try",
    });
    this.order = h("div", { class: "km-sched-order" });
    this.would = h("p", { class: "km-sched-would" });
    this.place = h("p", { class: "km-sched-place" });
    this.loads = h("p", { class: "km-sched-loads" });
    this.nodeActs = h("div", { class: "km-acts", role: "group", "aria-label": "do to this node" });
    this.detail = h(
      "div",
      { class: "km-sched-detail", role: "group", "aria-label": "the node" },
      this.would,
      this.place,
      this.nodeActs,
      this.loads,
    );
    this.pods = h("ul", { class: "km-sched-pods" });
    this.queues = h("ul", { class: "km-sched-queues" });
    this.moves = h("ol", { class: "km-sched-moves" });
    this.lines = h("ol", { class: "km-sched-lines" });
    this.controls();
    this.assemble();
  }

  controls() {
    this.forms = new PodForms(this.uid, this.run, this.errand.send, (deed) => this.act(deed));
    this.errand.load("Add a pod");
    this.text = h("pre", {
      class: "km-manifests",
      hidden: true,
      tabindex: "0",
      role: "group",
      "aria-label": "what kubemini explain prints",
    });
    this.bText = opener("kubemini explain", this.text);
    this.bAll = button("All plugins", () => this.turn(() => (this.all = !this.all)));
    this.bUndo = button("Undo", () => this.ask(this.mine.slice(0, -1), ""));
    this.bAgain = button("Begin again", () => this.pick(this.case));
    this.root = shell("scheduler-table", "scheduler table");
  }

  assemble() {
    const section = (title, ...kids) => h("section", {}, h("p", { class: "km-h4" }, title), kids);
    this.beside = h(
      "div",
      { class: "km-sched-beside" },
      section("pods", this.pods),
      section("the queue", this.queues, this.moves),
      section("what was done", this.lines, h("div", { class: "km-acts" }, this.bUndo, this.bAgain)),
    );
    this.bar = h(
      "div",
      { class: "km-bar" },
      h("div", { class: "km-ctl" }, this.bAll, h("span", { class: "km-sp" }), this.bText),
    );
    this.root.append(
      h("div", { class: "km-req-pick" }, this.tabs),
      sentences(this.head, this.second, this.when),
      this.views,
      this.order,
      this.grid.node,
      this.detail,
      this.bar,
      this.text,
      this.errand.status,
      this.errand.trouble,
      this.forms.node,
      this.beside,
      this.voice,
      captionOf(this.model),
    );
  }

  live() {
    return this.model.get("kernel") !== "recording" || this.options.live !== false;
  }

  // -- which story, pod, try, node
  pick(one) {
    this.case = one;
    this.mine = [];
    this.errand.blame("");
    this.shows(one.state, one.view, one.look);
  }

  shows(state, view, look) {
    this.state = state;
    this.at = Math.max(0, view < 0 ? state.views.length + view : view);
    this.chosen = this.known(look) ? look : this.opening();
    const pod = state.pods.find((x) => x.name === state.pod);
    this.forms.set(pod, state.pods);
    this.draw();
  }

  get view() {
    return this.state.views[this.at];
  }
  known(name) {
    return this.view.nodes.some((node) => node.name === name);
  }
  /** The node that is open at first: the chosen one, or where somebody makes room. */
  opening() {
    const wanted = this.view.node || (this.view.preempts || [])[0];
    return this.known(wanted) ? wanted : this.view.nodes.length ? this.view.nodes[0].name : "";
  }

  look(name, spoken) {
    this.chosen = name;
    this.draw();
    if (spoken || !this.narrow) this.speak(`${name}: ${this.said(name).would}`);
  }

  turn(change) {
    change();
    if (!this.known(this.chosen)) this.chosen = this.opening();
    this.draw();
    this.speak();
  }

  said(name) {
    return this.view.nodes.find((node) => node.name === name);
  }

  speak(words) {
    this.voice.textContent = words || `${this.head.textContent}. ${this.second.textContent}`;
  }

  // -- the simulator
  act(deed) {
    this.ask([...this.mine, deed], deed[0] === "add" ? "" : this.state.pod);
  }
  ask(mine, pod) {
    if (this.root.dataset.busy) return; // one question at a time
    this.wanted = mine;
    this.errand.ask({ asked: { case: this.case.name, deeds: mine, pod } });
  }
  answered(state) {
    const [deed] = this.wanted.slice(-1),
      more = this.wanted.length > this.mine.length;
    this.mine = this.wanted;
    const asksNow = more && deed[0] !== "add" && deed[0] !== "resize";
    this.shows(state, asksNow ? -1 : -2, this.chosen);
    if (!asksNow) this.chosen = this.opening();
    this.draw();
    this.speak();
  }
  onKernel() {
    this.errand.onKernel();
    this.draw();
  }

  // -- what is shown
  draw() {
    const { view, state, narrow } = this,
      recorded = this.model.get("kernel") === "recording";
    const size = recorded
      ? `The first change loads Python, ${this.options.size || "6 MB"}, once.`
      : "";
    this.say();
    this.drawTabs();
    this.drawViews();
    this.order.replaceChildren(...(view.strip.length > view.nodes.length ? strip(view) : []));
    this.drawNode();
    this.grid.draw(view, state, { ...this, detail: this.detail });
    if (!narrow && this.detail.parentElement !== this.root) this.grid.node.after(this.detail);
    put(this.bAll, "aria-pressed", String(this.all));
    put(this.text, "text", view.text);
    this.pods.replaceChildren(...podList(state, (name) => this.other(name)));
    this.queues.replaceChildren(...queues(state));
    this.moves.replaceChildren(...moves(state));
    this.lines.replaceChildren(...deeds(state));
    this.forms.node.hidden = !this.live();
    this.bUndo.hidden = this.bAgain.hidden = !this.mine.length;
    put(this.loads, "text", size);
    this.loads.hidden = !size || !this.live();
  }

  /** Another pod of the same moment: what is recorded is one pod's, the others' are asked for. */
  other(name) {
    if (name !== this.state.pod && this.live()) this.ask(this.mine, name);
  }

  say() {
    const { view, state } = this,
      now = this.at === state.views.length - 1,
      stays = now && view.placed && view.node && view.placed !== view.node;
    const where = view.node ? `goes to ${view.node}` : "goes nowhere";
    const name = view.pod.split("/")[1];
    put(
      this.head,
      "text",
      stays
        ? `${name} is on ${view.placed} and stays there; asked now it would go to ${view.node}`
        : `${name} ${where}`,
    );
    put(this.head, "class", `km-head${view.node ? "" : " km-req-bad"}`);
    const why = [view.why, view.searched].filter(Boolean).join(" ");
    put(this.second, "text", why);
    put(this.when, "text", `t = ${view.at.toFixed(1)} s`);
  }

  drawTabs() {
    const tab = (one) =>
      button(one.title, () => this.pick(one), {
        class: "km-b km-req-tab",
        "aria-pressed": String(one === this.case),
        "data-case": one.name,
      });
    this.tabs.parentElement.hidden = this.run.cases.length < 2;
    const had = this.tabs.contains(document.activeElement);
    this.tabs.replaceChildren(...this.run.cases.map(tab));
    if (had) this.tabs.querySelector(`[data-case="${this.case.name}"]`).focus();
  }

  drawViews() {
    const { views, tried } = this.state,
      last = views.length - 1,
      first = tried - last + 1;
    const name = (i) => {
      if (i === last) return "Asked now";
      return tried === 1 ? "When it was tried" : `Try ${first + i}`;
    };
    const had = this.views.contains(document.activeElement);
    this.views.replaceChildren(
      ...views.map((view, i) =>
        button(`${name(i)}: ${view.node || "nowhere"}`, () => this.turn(() => (this.at = i)), {
          "aria-pressed": String(i === this.at),
        }),
      ),
      h("span", { class: "km-sched-lesson" }, this.mine.length ? "" : this.case.lesson),
    );
    if (had) this.views.children[this.at].focus();
  }

  drawNode() {
    const { state, chosen } = this,
      said = this.said(chosen),
      place = state.nodes.find((x) => x.name === chosen);
    this.detail.hidden = !said;
    if (!said) return;
    put(this.would, "text", said.would);
    put(this.place, "text", place ? told(place) : "");
    const had = this.nodeActs.contains(document.activeElement);
    const acts = this.live()
      ? nodeDeeds(place, state.machines, this.run.taints, (deed) => this.act(deed))
      : [];
    this.nodeActs.replaceChildren(...acts);
    if (had && acts.length) acts[0].focus();
  }

  // -- room
  fit() {
    const narrow = this.root.clientWidth < NARROW;
    if (narrow === this.narrow) return;
    this.narrow = narrow;
    this.root.classList.toggle("km-sched-narrow", narrow);
    this.draw();
  }
}

/** A node in words. */
function told(place) {
  const [used, all] = place.cpu,
    [took, room] = place.memory;
  const state = [place.ready ? "" : "NotReady", place.cordoned ? "cordoned" : "", ...place.taints];
  const pods = place.pods.length ? place.pods.join(", ") : "no pods";
  return [
    `Now on ${place.name}: ${used}m of ${all}m CPU and ${took} of ${room} Mi are asked for (${pods})`,
    ...state.filter(Boolean),
  ].join("; ");
}

function render({ model, el }) {
  const made = new SchedulerTable(model, el);
  return () => made.close();
}
export default { render };

// The rollout strip: a bar for each pod of a Deployment, by ReplicaSet, from its making to its end; beneath it the bounds
// of the rollout, the budgets, and the visits that were lost. Nodes stand above; whatever is chosen can be acted upon.
// Invariant: nothing to the right of the present is drawn, so that a prediction is a prediction.
import { canvas, choosable, labelled } from "../draw.js";
import { look } from "../facts.js";
import { widget } from "../frame/frame.js";
import { SECOND, clamp, fit, h, plural, put, s, seconds, uid } from "../kit.js";
import { Axis, Budget, Chart, Lost } from "../rolling/axes.js";
import {
  STATES,
  WORDS,
  boundsOf,
  countsOf,
  last,
  sentence,
  stateOf,
  wanting,
} from "../rolling/lives.js";
import { Wishes, wishState } from "../rolling/wishes.js";

const NODE = 34, // px: the chip of a node
  HEAD = 21, // the line of a ReplicaSet
  NEAR = [14 * SECOND, 6 * SECOND]; // of the time about the present, when that is all that is drawn

const tail = (name) => name.slice(name.lastIndexOf("-") + 1);
const brief = (node) => node.replace(/^worker-/, "w-");

class RolloutStrip {
  constructor(ctl) {
    this.ctl = ctl;
    this.svg = s("svg", { class: "km-svg km-roll", role: "group" });
    this.bNear = h(
      "button",
      { type: "button", class: "km-b", "aria-pressed": "false", onclick: () => this.zoom() },
      "20 s about now",
    );
    this.which = h("select", {
      class: "km-b",
      "aria-label": "Deployment",
      onchange: () => this.choose(+this.which.value),
    });
    this.tools = h("div", { class: "km-roll-tools" }, legend(), this.which, this.bNear);
    this.node = h("div", { class: "km-drawing" }, this.svg, this.tools);
    this.wishes = new Wishes(ctl);
    this.keys = [["z", "the 20 seconds about now, or the whole time", () => this.zoom()]];
    this.near = false;
    this.chosen = 0;
  }

  zoom() {
    this.near = !this.near;
    this.bNear.setAttribute("aria-pressed", String(this.near));
    this.ctl.draw();
  }

  choose(i) {
    this.chosen = i;
    this.setRun(this.history, this.narrow);
    this.ctl.select(this.strip.name);
  }

  has(name) {
    return !!this.bars[name] || !!this.chips[name] || name === this.strip.name;
  }
  first() {
    return this.strip.name;
  }

  // -- the elements, once a run
  setRun(history, narrow) {
    const { rollouts } = history.run;
    Object.assign(this, { history, narrow, W: narrow ? 360 : 760, left: narrow ? 84 : 138 });
    this.strip = rollouts[Math.min(this.chosen, rollouts.length - 1)] || NONE;
    this.which.hidden = rollouts.length < 2;
    this.which.replaceChildren(
      ...rollouts.map((one, i) => h("option", { value: i, selected: i === this.chosen }, one.name)),
    );
    const visits = history.requests.filter((r) => r.kind === "service" && r.outcome !== "waiting");
    this.lost = visits
      .filter((r) => r.outcome !== "ok")
      .map((r) => r.started)
      .sort((a, b) => a - b);
    this.nodes = history.topology.hosts.map((x) => x.name).filter((name) => /^worker/.test(name));
    this.make(visits.length);
  }

  make(asked) {
    const back = s("g"),
      front = s("g"),
      past = s("g", { "clip-path": "none" }),
      y = this.makeRows(front, past, this.makeNodes(front));
    const H = this.makeLanes(back, front, past, y, asked);
    this.now = s("path", { class: "km-roll-now" });
    const id = uid();
    this.clip = s("rect", { x: 0, y: 0, width: 0, height: H });
    past.setAttribute("clip-path", `url(#${id})`);
    const defs = s("defs", {}, s("clipPath", { id }, this.clip), grey(id));
    this.svg.style.setProperty("--km-leaving", `url(#${id}l)`);
    canvas(this.svg, this.W, H, `pods of ${this.strip.name} over time`)(
      defs,
      back,
      past,
      this.now,
      front,
    );
    this.H = H;
    this.drawn = "";
  }

  makeNodes(front) {
    const n = Math.max(1, this.nodes.length),
      gap = 8,
      pad = 6,
      w = (this.W - 2 * pad - gap * (n - 1)) / n;
    this.chips = {};
    this.nodes.forEach((name, i) => {
      const x = pad + i * (w + gap),
        chip = s("rect", { class: "km-chip", x, y: 2, width: w, height: NODE, rx: 8 }),
        words = s("text", {
          class: "km-t",
          x: x + w / 2,
          y: 2 + NODE / 2 + 4,
          "text-anchor": "middle",
        });
      front.append((this.chips[name] = { w, words, g: choosable(this.ctl, name, chip, words) }).g);
    });
    return NODE + 12;
  }

  makeRows(front, past, from) {
    const { strip } = this,
      tall = clamp(Math.floor(430 / Math.max(1, strip.pods.length)), 15, 24);
    let y = from;
    this.heads = [];
    this.bars = {};
    strip.sets.forEach((one, i) => {
      const pods = strip.pods.filter((pod) => pod.set === i);
      const head = s("text", { class: "km-h", x: 8, y: y + 15 });
      this.heads.push({ one, head, pods });
      front.append(head);
      y += HEAD;
      for (const pod of pods) {
        this.bars[pod.name] = this.makeBar(pod, y, tall, front, past);
        y += tall;
      }
      y += 5;
    });
    return y + 2;
  }

  makeBar(pod, y, tall, front, past) {
    const chip = s("rect", {
        class: "km-chip km-roll-row",
        x: 3,
        y,
        width: this.W - 6,
        height: tall,
        rx: 5,
      }),
      label = s("text", { class: "km-t km-roll-name", x: 10, y: y + tall / 2 + 4 }),
      g = choosable(this.ctl, pod.name, chip, label);
    put(g.hit, "y", y); // rows are close: none reaches into the next
    put(g.hit, "height", tall);
    const spans = pod.spans
      .map(([at, state], i) => ({ at, state, end: (pod.spans[i + 1] || [this.history.until])[0] }))
      .filter(({ state }) => state !== "gone")
      .map((span) => ({ ...span, shape: shape(span.state, y, tall) }));
    past.append(...spans.map((span) => span.shape));
    front.append(g);
    return { pod, g, label, spans };
  }

  makeLanes(back, front, past, from, asked) {
    const { strip, lost, narrow, left, W } = this;
    let y = from;
    this.lanes = [];
    const place = (more) => ({ y, left, narrow, wide: W - 6, ...more });
    const add = (lane) => {
      this.lanes.push(lane);
      if (lane.back) back.append(lane.back);
      past.append(lane.future);
      front.append(lane.node);
      y += lane.tall;
    };
    add(new Chart(strip, place()));
    for (const one of strip.budgets) add(new Budget(one, place()));
    if (asked) add(new Lost(lost, place()));
    add(new Axis(this.history.commands, place({ top: NODE + 12 })));
    return y + 4;
  }

  // -- a moment
  draw({ st, t, sel }) {
    const { until } = this.history,
      [from, to] = this.near ? [t - NEAR[0], t + NEAR[1]] : [0, until],
      { left, W } = this,
      x = (at) => left + (W - 8 - left) * clamp((at - from) / (to - from), 0, 1);
    this.arrange(x, from, to);
    put(this.clip, "width", x(t).toFixed(1));
    put(this.now, "d", `M${x(t).toFixed(1)} ${NODE + 8}V${this.H - 23}`);
    for (const [name, u] of Object.entries(this.chips)) this.drawNode(st, t, name, u, sel);
    for (const u of this.heads) this.drawHead(t, u);
    for (const [name, u] of Object.entries(this.bars)) this.drawBar(t, name, u, sel);
    for (const lane of this.lanes) lane.draw(t);
  }

  /** Place everything along the axis, when that is another than before. */
  arrange(x, from, to) {
    const key = `${from} ${to}`;
    if (this.drawn === key) return;
    this.drawn = key;
    const { until } = this.history;
    for (const { spans } of Object.values(this.bars))
      for (const { at, end, state, shape: e } of spans) {
        const a = x(at),
          b = x(end),
          gone = end < from || at > to;
        put(e, "visibility", gone ? "hidden" : null);
        put(e, "x", a.toFixed(1));
        put(e, "width", Math.max(state === "made" ? 1 : 1.5, b - a).toFixed(1));
      }
    for (const lane of this.lanes) lane.arrange(x, until, from, to);
  }

  drawNode(st, t, name, u, sel) {
    const lk = st.hosts[name] && !st.hosts[name].on ? "no power" : "",
      node = st.nodes[name] || {},
      kubelet = look(st, `kubelet@${name}`).cls === "down",
      pods = this.strip.pods.filter((pod) => pod.node === name && stateOf(pod, t)).length;
    const state =
        lk ||
        (kubelet
          ? "kubelet down"
          : node.unschedulable
            ? "cordoned"
            : node.ready
              ? "Ready"
              : "NotReady"),
      mark = { Ready: "●", cordoned: "⊘" }[state] || "✕",
      cls = { Ready: "up", cordoned: "paused" }[state] || "down";
    const words = [
      `${mark} ${name} · ${state} · ${plural(pods, "pod")}`,
      `${mark} ${name} · ${plural(pods, "pod")}`,
      `${mark} ${brief(name)} · ${pods}`,
    ];
    put(u.words, "text", fit(u.w - 10, 12, ...words));
    put(u.g, "class", `km-pick km-chipg km-${cls}${sel === name ? " km-sel" : ""}`);
    labelled(u.g, sel === name, `${name}, ${state}, ${plural(pods, "pod")} of ${this.strip.name}`);
  }

  drawHead(t, { one, head, pods }) {
    const wants = last(one.wants, t),
      room = this.W - 44;
    const ready = pods.filter((pod) => stateOf(pod, t) === "ready").length;
    const wanted = wants ? wants[1] : 0,
      count = wanted || ready ? `${ready} ready, ${wanted} wanted` : "no pods wanted";
    const words = [
      `${one.image} · ${one.name} · ${count}`,
      `${one.image} · ${count}`,
      `${one.image.split("/").pop()} · ${count}`,
    ];
    put(head, "text", wants ? fit(room, 12.5, ...words) : "");
    put(head, "class", wanted ? "km-h" : "km-h km-roll-over");
  }

  drawBar(t, name, u, sel) {
    const state = stateOf(u.pod, t),
      begun = u.pod.spans[0][0] <= t,
      { node } = u.pod;
    put(u.g, "visibility", begun ? null : "hidden");
    put(
      u.g,
      "class",
      `km-pick km-chipg km-roll-pod${sel === name ? " km-sel" : ""}${state ? "" : " km-roll-gone"}`,
    );
    const words = [
      `${tail(name)} · ${node || "no node"}`,
      `${tail(name)} ${brief(node)}`,
      tail(name),
    ];
    put(u.label, "text", fit(this.left - 18, this.narrow ? 10.5 : 11.5, ...words));
    labelled(u.g, sel === name, `${name} on ${node || "no node"}, ${WORDS[state || "gone"]}`);
  }

  // -- what is said, and done
  said(t) {
    if (this.strip === NONE) return this.history.said(t);
    return sentence(this.strip, t, this.lost);
  }

  describe(sel, t) {
    const { strip } = this,
      bar = this.bars[sel];
    if (bar) return [sel, ...aboutPod(bar.pod, t)];
    if (sel !== strip.name) return null;
    const { replicas, least, most } = boundsOf(strip, t),
      { ready, kept } = countsOf(strip, t);
    return [
      `Deployment ${sel}`,
      `${ready} ready and ${kept} in all, of ${replicas} wanted; bounds ${least} and ${most}`,
      ...wanting(strip, t).map((one) => `${one.image}: ${one.wanted} wanted by ${one.name}`),
    ];
  }

  state(sel, st) {
    return wishState(this.strip, this.ctl.t, this.cordoned(st));
  }
  cordoned(st) {
    return this.nodes.filter((name) => (st.nodes[name] || {}).unschedulable);
  }
  more(sel, st) {
    if (!this.strip.sets.length) return null;
    const bar = this.bars[sel],
      node = this.chips[sel]
        ? sel
        : (bar && bar.pod.node) || this.nodes[this.nodes.length > 1 ? 1 : 0];
    return this.wishes.form(this.strip, this.ctl.t, node, this.nodes, this.cordoned(st));
  }
}

const NONE = { name: "no Deployment", bounds: [], sets: [], pods: [], budgets: [] };

/** The bar of a state: low while there is nothing yet, high when it serves. */
function shape(state, y, tall) {
  const height = { made: 4, runs: 9, exited: 9 }[state] || tall - 6;
  return s("rect", { class: `km-roll-${state}`, y: y + (tall - height) / 2, height, rx: 2 });
}

/** Slanted lines, for what is on its way out. */
const grey = (id) =>
  s(
    "pattern",
    {
      id: `${id}l`,
      width: 6,
      height: 6,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    },
    s("rect", { width: 6, height: 6, class: "km-roll-hatch0" }),
    s("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "km-roll-hatch1" }),
  );

function aboutPod(pod, t) {
  const state = stateOf(pod, t),
    now = last(pod.spans, t);
  if (!now) return ["not made yet"];
  const told = pod.spans.filter(([at]) => at <= t).map(([at, word]) => `${word} ${seconds(at)} s`);
  return [`on ${pod.node || "no node"}: ${WORDS[state || "gone"]}`, told.join(", ")];
}

function legend() {
  const sample = (state) =>
    s(
      "svg",
      { class: "km-roll-sample", viewBox: "0 0 22 14", "aria-hidden": "true" },
      sampled(state),
    );
  const name = {
    made: "made",
    runs: "not ready",
    ready: "ready",
    exited: "exited",
    leaving: "on the way out",
  };
  return h(
    "span",
    { class: "km-roll-legend" },
    ...STATES.map((state) => h("span", {}, sample(state), name[state])),
  );
}
function sampled(state) {
  const e = shape(state, -2, 18);
  put(e, "x", 1);
  put(e, "width", 20);
  return e;
}

const render = ({ model, el }) =>
  widget({
    model,
    el,
    name: "rollout-strip",
    label: "Rollout strip",
    make: (ctl) => new RolloutStrip(ctl),
  });
export default { render };

// Connection balance: how many requests each pod gets when a client has so many connections, through a Service (a pod is
// picked for each connection, and keeps it) or when the client itself sends each request to the next pod.
// Model: run {header, hands: [{pods, connections, dealt: [[connections of pod 1, …], …]}]}, caption. All is recorded.
import {
  attach,
  button,
  captionOf,
  h,
  headings,
  knob,
  plural,
  put,
  s,
  sentences,
  shell,
  tableBox,
  textTable,
  uid,
  uniq,
} from "../../kit.js";

const REQUESTS = 1000; // a second
const HEIGHT = 250,
  LEFT = 46,
  RIGHT = 12,
  TOP = 22,
  FOOT = 44;

class ConnectionBalance {
  constructor(model, el) {
    this.hands = model.get("run").hands;
    this.pods = uniq(this.hands.map((x) => x.pods));
    this.connections = uniq(this.hands.map((x) => x.connections));
    Object.assign(this, { model, hand: 0, own: false, width: 0 });
    this.uid = uid();
    this.parts();
    this.close = attach(el, this.root, model, {}, () => this.fit());
    this.draw();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.svg = s("svg", { class: "km-svg", role: "img" });
    [this.table, this.bTable] = tableBox("The pods as a table");
    this.again = button("Deal again", () => this.turn(() => this.hand++), {
      class: "km-b km-main-b",
    });
    this.ways = [
      ["through the Service", false],
      ["in turn, by the client", true],
    ].map(([text, own]) => button(text, () => this.turn(() => (this.own = own)), {}));
    const last = (list) => list.length - 1;
    this.nPods = this.slider("pods", this.pods, last(this.pods));
    this.nConnections = this.slider("connections", this.connections, 1);
    this.root = this.assembled();
  }

  assembled() {
    const ways = h(
      "div",
      { class: "km-ctl", role: "group", "aria-label": "who picks the pod" },
      h("span", { class: "km-lab" }, "requests go"),
      this.ways,
      h("span", { class: "km-sp" }),
      this.bTable,
    );
    const knobs = h(
      "div",
      { class: "km-knobs" },
      this.nPods.node,
      this.nConnections.node,
      this.again,
    );
    return shell(
      "connection-balance",
      "connection balance",
      sentences(this.head, this.second),
      h("div", { class: "km-pic" }, this.svg),
      h("div", { class: "km-bar" }, ways, knobs),
      this.table,
      this.voice,
      captionOf(this.model),
    );
  }

  /** A slider over the values that are recorded. */
  slider(label, values, at) {
    const oninput = () => this.turn(() => (this.hand = 0));
    const props = { min: 0, max: values.length - 1, value: at, oninput };
    const made = knob(`${this.uid}-${label}`, label, props);
    return { ...made, value: () => values[+made.input.value] };
  }

  turn(change) {
    change();
    this.draw();
    this.voice.textContent = `${this.head.textContent}. ${this.second.textContent}`;
  }

  // -- what is dealt
  dealt() {
    const pods = this.nPods.value(),
      connections = this.nConnections.value();
    const found = this.hands.find((x) => x.pods === pods && x.connections === connections);
    const counts = found.dealt[this.hand % found.dealt.length];
    const shares = counts.map((n) =>
      Math.round(this.own ? REQUESTS / pods : (REQUESTS * n) / connections),
    );
    return { pods, connections, many: found.dealt.length, counts, shares };
  }

  // -- drawing
  fitting() {
    return this.root.clientWidth < 620 ? 360 : 700;
  }
  fit() {
    if (this.width !== this.fitting()) this.draw();
  }

  draw() {
    this.width = this.fitting();
    const d = this.dealt();
    for (const knob of [this.nPods, this.nConnections]) {
      put(knob.out, "text", String(knob.value()));
      put(knob.input, "aria-valuetext", String(knob.value()));
    }
    this.ways.forEach((b, i) => put(b, "aria-pressed", String(this.own === !!i)));
    put(this.again, "text", `Deal again (hand ${(this.hand % d.many) + 1} of ${d.many})`);
    put(this.again, "disabled", this.own);
    put(this.svg, "viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.svg.replaceChildren(...this.axis(d), ...d.shares.flatMap((n, i) => this.bar(d, n, i)));
    this.say(d);
    this.fillTable(d);
  }

  y(n) {
    return TOP + (1 - n / REQUESTS) * (HEIGHT - TOP - FOOT);
  }

  axis(d) {
    const fair = this.y(REQUESTS / d.pods);
    const levels = [0, 500, 1000].flatMap((n) => [
      s("path", { class: "km-grid", d: `M${LEFT} ${this.y(n)}H${this.width - RIGHT}` }),
      s("text", { x: LEFT - 6, y: this.y(n) + 4, "text-anchor": "end", class: "km-mute" }, n),
    ]);
    const line = s("path", { class: "km-fair", d: `M${LEFT} ${fair}H${this.width - RIGHT}` });
    const foot = { x: (LEFT + this.width - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" };
    const word = s("text", { ...foot, class: "km-mute" }, "pods; dashed: an equal share");
    return [...levels, line, word];
  }

  /** One pod: a bar with its number, or a mark that it idles. */
  bar(d, n, i) {
    const room = (this.width - LEFT - RIGHT) / d.pods,
      x = LEFT + i * room,
      middle = x + room / 2;
    const name = s(
      "text",
      { x: middle, y: HEIGHT - 26, "text-anchor": "middle", class: "km-mute" },
      i + 1,
    );
    const over = { x: middle, y: this.y(n) - 5, "text-anchor": "middle", class: "km-num" };
    if (!n)
      return [name, s("text", { ...over, class: "km-idle" }, this.width < 500 ? "–" : "idle")];
    const high = {
      x: x + room * 0.15,
      y: this.y(n),
      width: room * 0.7,
      height: this.y(0) - this.y(n),
    };
    return [name, s("rect", { ...high, rx: 2, class: "km-got" }), s("text", over, n)];
  }

  say(d) {
    const idle = d.shares.filter((n) => !n).length,
      most = Math.max(...d.shares);
    const to = `${plural(d.pods - idle, "pod")} of ${d.pods}`;
    const expected = d.pods * (1 - 1 / d.pods) ** d.connections;
    const head = this.own
      ? `The client sends each request to the next pod: ${Math.round(REQUESTS / d.pods)} each`
      : `${plural(d.connections, "connection")} reach ${to}; the busiest gets ${most} of 1,000 requests a second`;
    const second = this.own
      ? "it knows all pods (a headless Service names them) and keeps a connection to each"
      : `${plural(idle, "pod idles", "pods idle")}; ${expected.toFixed(expected < 0.1 ? 2 : 1)} on average of many hands`;
    put(this.head, "text", head);
    put(this.second, "text", second);
    put(this.svg, "aria-label", `${head}. Requests by pod: ${d.shares.join(", ")}`);
  }

  fillTable(d) {
    const head = ["pod", "connections", "requests a second"];
    const rows = d.shares.map((n, i) => [i + 1, this.own ? 1 : d.counts[i], n]);
    this.table.replaceChildren(textTable("What each pod gets", head, rows));
  }
}

function render({ model, el }) {
  const made = new ConnectionBalance(model, el);
  return () => made.close();
}
export default { render };

// Who hangs on whom: the servers in a row, below each the clients that keep their connection there, in piles; the
// balancer lies between. A tag that has moved since the last deed says where it came from.
import { along, canvas, choosable, dot, labelled } from "../draw.js";
import { hasAddress, look } from "../facts.js";
import { widget } from "../frame/frame.js";
import { fit, h, plural, put, s, width } from "../kit.js";
import { Piles, dialled, isSilent } from "../hanging/piles.js";
import { Shift } from "../hanging/shift.js";

const brief = (name) => name.replace(/^apiserver-/, "");
const hostOf = (st, name) => (st.programs[name] || {}).host;

/** What a tag says, widest first. */
function names(client) {
  const [what, where] = client.split("@"),
    [, role, n] = /^(.*)-(\d+)$/.exec(what) || [0, what, ""];
  if (where)
    return [
      client,
      `${what} ${where.replace(/^worker-/, "w")}`,
      `${what.replace("kube-", "")} ${where.replace(/^worker-/, "w")}`,
    ];
  return role === "controller-manager" ? [`controllers-${n}`, `ctrl-${n}`] : [client, `sched-${n}`];
}

class Connections {
  constructor(ctl) {
    this.ctl = ctl;
    this.svg = s("svg", { class: "km-svg", role: "group" });
    this.node = h("div", { class: "km-drawing" }, this.svg);
    this.shift = new Shift();
    this.top = [this.shift.told];
    this.under = [this.shift.node];
    this.keys = [["b", "just before the last deed, and back", () => this.peek()]];
  }

  has(name) {
    const found = this.tags[name] || this.card[name] || this.bar[name] || this.keeper[name];
    return !!found || this.fresh.name === name;
  }
  first(history) {
    const named = history.commands.find((x) => this.has(x.args[0]));
    return named ? named.args[0] : this.piles.servers[0];
  }

  /** To the moment just before the last deed; pressed again, back. */
  peek() {
    const { player, t } = this.ctl,
      last = this.shift.deed(t);
    player.play(false);
    if (this.peeked && t === this.peeked.at) player.go(this.peeked.back);
    else if (last != null) player.go((this.peeked = { at: Math.max(0, last - 1000), back: t }).at);
  }

  // -- the elements, once a run
  setRun(history, narrow) {
    this.history = history;
    this.piles = new Piles(history, narrow);
    this.shift.setRun(history, this.piles);
    const { W, H, clients, servers, doors } = this.piles,
      layers = canvas(this.svg, W, H, picture(servers, doors, clients));
    this.tags = {};
    this.card = {};
    this.bar = {};
    this.keeper = {};
    this.cord = {};
    const back = s("g", { "aria-hidden": "true" }),
      front = s("g");
    this.dots = s("g", { "aria-hidden": "true", class: "km-dots" });
    for (const name of servers) back.append((this.cord[name] = s("path", { class: "km-cord" })));
    for (const name of servers) front.append(this.makeCard(name));
    for (const name of doors) front.append(this.makeBar(name));
    for (const name of Object.keys(this.piles.keepers)) front.append(this.makeKeeper(name));
    back.append(...this.makeLane());
    for (const name of clients) front.append(this.makeTag(name));
    front.append(this.makeFresh());
    layers(back, front, this.dots);
  }

  makeCard(name) {
    const b = this.piles.cards[name],
      text = (cls, x, y, anchor) =>
        s("text", { class: cls, x: b.x + x, y: b.y + y, "text-anchor": anchor });
    const u = (this.card[name] = {
      b,
      title: text("km-h", 11, 21, "start"),
      sub: text("km-mute", 11, 40, "start"),
    });
    u.count = text("km-hang-n", b.w - 11, 37, "end");
    const chip = s("rect", { class: "km-chip", x: b.x, y: b.y, width: b.w, height: b.h, rx: 10 });
    return (u.g = choosable(this.ctl, name, chip, u.title, u.sub, u.count));
  }

  makeBar(name) {
    const b = this.piles.bars[name],
      chip = s("rect", { class: "km-chip", x: b.x, y: b.y, width: b.w, height: b.h, rx: 8 });
    const u = (this.bar[name] = {
      b,
      title: s("text", { class: "km-t", x: b.x + 11, y: b.y + 16 }),
      says: {},
    });
    for (const [api, c] of Object.entries(this.piles.cards))
      u.says[api] = s("text", {
        class: "km-mute",
        x: c.x + c.w / 2,
        y: b.y + 32,
        "text-anchor": "middle",
      });
    return (u.g = choosable(this.ctl, name, chip, u.title, ...Object.values(u.says)));
  }

  makeKeeper(name) {
    const b = this.piles.keepers[name],
      chip = s("rect", { class: "km-chip", x: b.x, y: b.y, width: b.w, height: b.h, rx: 6 });
    const text = s("text", {
      class: "km-mute",
      x: b.x + b.w / 2,
      y: b.y + 13.5,
      "text-anchor": "middle",
    });
    this.keeper[name] = { text, g: choosable(this.ctl, name, chip, text) };
    return this.keeper[name].g;
  }

  makeLane() {
    const { lane } = this.piles;
    this.laneWords = s("text", { class: "km-mute", x: lane.x + 11, y: lane.y + 15 });
    return [
      s("rect", {
        class: "km-nobody",
        x: lane.x,
        y: lane.y,
        width: lane.w,
        height: lane.h,
        rx: 10,
      }),
      this.laneWords,
    ];
  }

  makeTag(name) {
    const { tag } = this.piles,
      chip = s("rect", { class: "km-chip", x: 0, y: 0, width: tag.w, height: tag.h, rx: 12.5 });
    const text = s("text", { class: "km-t", x: 21, y: 16.5 }),
      mark = s("text", { class: "km-hang-mark", x: 11.5, y: 16.8, "text-anchor": "middle" });
    const right = s("text", { class: "km-mute", x: tag.w - 9, y: 16.5, "text-anchor": "end" });
    const pick = choosable(this.ctl, name, chip, mark, text, right);
    this.tags[name] = { pick, text, mark, right, g: s("g", { class: "km-hangs" }, pick) };
    return this.tags[name].g;
  }

  makeFresh() {
    const { fresh: b, narrow } = this.piles,
      asking = this.history.requests.find((r) => r.kind === "api");
    const name = asking ? asking.from : "kubectl",
      chip = s("rect", { class: "km-chip", x: b.x, y: b.y, width: b.w, height: b.h, rx: 8 });
    const text = s("text", { class: "km-t", x: b.x + 11, y: b.y + 19 }, name);
    const note = s(
      "text",
      { class: "km-mute", x: b.x + b.w + 10, y: b.y + 19 },
      narrow ? "a fresh connection each time" : "opens a fresh connection for each request",
    );
    this.fresh = { name, g: choosable(this.ctl, name, chip, text) };
    return s("g", {}, this.fresh.g, s("g", { "aria-hidden": "true" }, note));
  }

  // -- a moment
  draw({ st, t, fly, sel }) {
    const was = this.shift.draw(st, t),
      { seats, ends } = this.piles.seats(st);
    for (const name of this.piles.servers) this.drawCard(st, name, sel, ends);
    for (const [name, u] of Object.entries(this.bar)) this.drawBar(st, name, u, sel);
    for (const [name, u] of Object.entries(this.keeper)) this.drawKeeper(st, name, u, sel);
    for (const name of this.piles.clients) this.drawTag(st, name, seats[name], was, sel);
    const none = this.piles.clients.filter((c) => seats[c].pile === "nobody").length;
    put(
      this.laneWords,
      "text",
      none ? `${plural(none, "client")} on nobody` : "Nobody is without a server",
    );
    put(
      this.fresh.g,
      "class",
      `km-pick km-chipg km-${look(st, this.fresh.name).cls}${sel === this.fresh.name ? " km-sel" : ""}`,
    );
    labelled(
      this.fresh.g,
      sel === this.fresh.name,
      `${this.fresh.name}, a fresh connection for each request`,
    );
    this.drawDots(st, fly);
  }

  drawCard(st, name, sel, ends) {
    const u = this.card[name],
      lk = look(st, name),
      n = (ends["direct" + name] || 0) + (ends["through" + name] || 0);
    const ready = st.ready[name] || {},
      host = hostOf(st, name),
      mark = lk.mark ? lk.mark + " " : "";
    const state = lk.cls !== "up" ? lk.word : ready.ready ? "ready" : "not ready";
    const words = [`${host} · ${state}`, state];
    put(u.title, "text", fit(u.b.w - 46, 12.5, `${mark}${name}`, `${mark}api-${brief(name)}`));
    put(u.sub, "text", fit(u.b.w - 46, 11, ...words));
    put(u.count, "text", String(n));
    put(u.g, "class", `km-pick km-chipg km-api km-${lk.cls}${sel === name ? " km-sel" : ""}`);
    labelled(u.g, sel === name, `${name} on ${host}, ${state}, ${plural(n, "connection")}`);
    put(this.cord[name], "d", this.piles.cords(name, ends));
    put(this.cord[name], "class", "km-cord" + (lk.cls === "up" ? "" : " km-cord-bad"));
  }

  drawBar(st, name, u, sel) {
    const lk = look(st, name),
      counted = lk.cls === "down" ? null : st.backends[name] || {},
      keeper = this.piles.beside(name),
      holds = hasAddress(st, name);
    const mark = (holds ? "★ " : "") + (lk.mark ? lk.mark + " " : ""),
      word =
        lk.cls === "up" ? (holds ? " has the address" : keeper ? " stands by" : "") : ` ${lk.word}`;
    put(
      u.title,
      "text",
      fit(u.b.w - (keeper ? 150 : 20), 12, `${mark}${name}${word}`, `${mark}${name}`),
    );
    const told = [];
    for (const [api, e] of Object.entries(u.says)) {
      const words = opinion(counted, api),
        bad = words[0].startsWith("✕");
      put(e, "text", fit(this.piles.cards[api].w - 8, 11, ...words));
      put(e, "class", bad ? "km-mute km-bad-t" : "km-mute");
      if (words[0]) told.push(`${api} ${words[0].replace(/^. /, "")}`);
    }
    put(u.g, "class", `km-pick km-chipg km-door km-${lk.cls}${sel === name ? " km-sel" : ""}`);
    labelled(
      u.g,
      sel === name,
      [name, lk.word, holds && "has the address", ...told].filter(Boolean).join(", "),
    );
  }

  drawKeeper(st, name, u, sel) {
    const lk = look(st, name),
      state = (st.vrrp[name] || {}).state || "",
      word = lk.cls === "up" ? state : lk.word;
    put(u.text, "text", `${lk.mark ? lk.mark + " " : ""}keepalived ${word}`);
    put(u.g, "class", `km-pick km-chipg km-keeper km-${lk.cls}${sel === name ? " km-sel" : ""}`);
    labelled(u.g, sel === name, `${name}, ${word || "running"}`);
  }

  drawTag(st, name, seat, was, sel) {
    const u = this.tags[name],
      { tag } = this.piles,
      lk = look(st, name),
      gone = lk.cls === "down",
      silent = !!seat.on && isSilent(st, name);
    const moved = was && was[name] !== undefined && was[name] !== seat.on,
      from = moved ? (was[name] ? brief(was[name]) : "–") : "";
    const cls = gone ? "down" : silent ? "silent" : seat.on ? "held" : "loose";
    put(u.mark, "text", gone ? "✕" : silent ? "‖" : seat.on ? "●" : "○");
    put(u.right, "text", moved && seat.on ? `↷${from}` : "");
    const room = tag.w - 28 - (moved && seat.on ? width(`↷${from}`, 11) + 5 : 0);
    put(u.text, "text", fit(room, 11, ...names(name)));
    put(u.g, "visibility", seat.pile === "unseen" ? "hidden" : null);
    put(u.g, "style", `transform: translate(${seat.x.toFixed(1)}px, ${seat.y.toFixed(1)}px)`);
    put(
      u.pick,
      "class",
      `km-pick km-chipg km-tagc km-hang-${cls}${moved ? " km-moved" : ""}${sel === name ? " km-sel" : ""}`,
    );
    const where = seat.on ? `hangs on ${seat.on}` : gone ? "not running" : "hangs on nobody";
    const by = seat.pile === "through" ? `through ${dialled(st, name)}` : "";
    labelled(
      u.pick,
      sel === name,
      [
        name,
        where,
        by,
        silent && "which does not answer",
        moved && `before on ${was[name] || "nobody"}`,
      ]
        .filter(Boolean)
        .join(", "),
    );
  }

  drawDots(st, fly) {
    const kids = [];
    for (const r of fly.requests) {
      if (r.from !== this.fresh.name || r.kind !== "api") continue;
      const pts = this.piles.way(st, r.via);
      if (pts.length < 2) continue;
      const [x, y] = along(pts, r.done && r.outcome !== "ok" ? 1 : r.f);
      kids.push(dot(x, y, r.done ? r.outcome : r.waiting ? "wait" : "msg"));
    }
    this.dots.replaceChildren(...kids);
  }
}

/** What a balancer thinks of a server, widest first; one that is down thinks nothing. */
function opinion(counted, api) {
  const x = counted && counted[api];
  if (!counted) return [""];
  if (!x) return ["not checked", ""];
  return x.up ? ["● up"] : [`✕ down: ${x.why}`, "✕ down"];
}

function picture(servers, doors, clients) {
  const parts = [
    plural(servers.length, "API server"),
    doors.length && plural(doors.length, "balancer"),
    plural(clients.length, "client"),
  ];
  return `who hangs on whom: ${parts.filter(Boolean).join(", ")}`;
}

const render = ({ model, el }) =>
  widget({
    model,
    el,
    name: "connections",
    label: "Who hangs on whom",
    make: (ctl) => new Connections(ctl),
  });
export default { render };

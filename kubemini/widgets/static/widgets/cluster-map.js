// Cluster map: hosts, programs, pods, the way in and the requests on it, all drawn from one recording.
import { Terminal } from "../desk/terminal.js";
import { along, canvas, cross, dot, labelled, meter, path } from "../draw.js";
import {
  LONG,
  base,
  hasAddress,
  holds,
  isCut,
  kindOf,
  look,
  offside,
  shares,
  short,
} from "../facts.js";
import { widget } from "../frame/frame.js";
import { fit, plural, put, s, width } from "../kit.js";
import { hostCard, podMark, programChip, rulesChip, serviceCard } from "../map/cards.js";
import { Places } from "../map/places.js";
import { Routes } from "../map/routes.js";

const BRIEF = { scheduler: "sched", controllers: "ctrl", "load balancer": "balancer" };
const POD_MARKS = { down: "✕", unready: "!", starting: "…", stopping: "–" };

class ClusterMap {
  constructor(ctl) {
    this.ctl = ctl;
    this.meter = meter();
    this.node = s("svg", { class: "km-svg", role: "group" });
    this.top = [this.meter.node];
    this.terminal = new Terminal(ctl);
    this.under = [this.terminal.node];
  }

  more(sel) {
    return sel === "kubectl" || /^(apiserver|lb)$/.test(kindOf(sel)) ? this.terminal.form() : null;
  }

  has(name) {
    const { places, ui } = this;
    return (
      !!(ui.host[name] || ui.chip[name] || ui.service[name]) ||
      Object.values(places.pods).some((p) => name in p)
    );
  }

  first(history) {
    const { places, ui } = this,
      shown = (name) => places.chips[name] || ui.host[name] || ui.service[name],
      found = history.commands.find((x) => shown(x.args[0]));
    if (found) return found.args[0];
    const chips = Object.keys(places.chips),
      judge = chips.find((name) => kindOf(name) === "policies");
    return judge || (history.topology.etcd || [])[0] || chips[0];
  }

  // -- the elements, once a run
  setRun(history, narrow) {
    this.history = history;
    this.places = new Places(history, narrow);
    this.routes = new Routes(this.places);
    this.ui = { rules: {}, host: {}, chip: {}, pod: {}, service: {}, line: [], peer: [] };
    const { W, H, lane } = this.places,
      layers = canvas(this.node, W, H, picture(history.topology));
    const back = s("g", { "aria-hidden": "true" }),
      cards = s("g"),
      front = s("g"),
      pods = s("g");
    this.dots = s("g", { "aria-hidden": "true", class: "km-dots" });
    if (this.places.role("worker").length)
      back.append(s("line", { class: "km-lane", x1: 12, x2: W - 12, y1: lane, y2: lane }));
    this.wires(back);
    for (const b of this.places.hosts) this.host(b, cards);
    this.others(front);
    layers(back, cards, front, pods, this.dots);
  }

  wires(back) {
    const wire = (l) => ({
      ...l,
      e: s("path", { class: "km-wire", d: path(l.pts) }),
      x: s("path", { class: "km-x" }),
    });
    this.ui.line = this.routes.lines.map(wire);
    this.ui.peer = this.routes.peers.map(wire);
    for (const { e, x } of [...this.ui.line, ...this.ui.peer]) back.append(e, x);
  }

  host(b, cards) {
    const { ctl, places, ui } = this,
      name = b.host.name,
      card = (ui.host[name] = hostCard(ctl, b)),
      rules = places.rules[name];
    cards.append(card.g);
    for (const c of b.host.components)
      if (places.chips[c]) cards.append((ui.chip[c] = programChip(ctl, places.chips[c])).g);
    if (rules)
      cards.append((ui.rules[name] = rulesChip(ctl, rules, Object.keys(places.services)[0])).g);
    card.pods = s("g");
    cards.append(card.pods);
  }

  others(front) {
    const { ctl, places, ui } = this,
      { lbNote } = places;
    for (const [name, b] of Object.entries(places.chips))
      if (!ui.chip[name]) front.append((ui.chip[name] = programChip(ctl, b)).g);
    for (const b of Object.values(places.services))
      front.append((ui.service[b.name] = serviceCard(ctl, b)).g);
    ui.lbNote = lbNote && s("text", { class: "km-mute", x: lbNote.x, y: lbNote.y });
    if (lbNote) front.append(ui.lbNote);
  }

  // -- a moment
  draw({ st, t, fly, sel }) {
    this.meter.draw(st);
    this.terminal.draw(this.history, t);
    for (const [name, u] of Object.entries(this.ui.host)) this.drawHost(st, name, u, sel);
    for (const [name, u] of Object.entries(this.ui.chip)) this.drawChip(st, name, u, sel);
    this.drawBalancer(st);
    this.drawLines(st);
    this.drawPeers(st);
    this.drawPods(st, sel);
    for (const [host, u] of Object.entries(this.ui.rules)) this.drawRules(st, host, u, sel);
    for (const b of Object.values(this.places.services)) this.drawService(st, b, sel);
    this.drawDots(st, fly);
  }

  drawHost(st, name, u, sel) {
    const p = st.hosts[name],
      far = offside(st, name),
      all = far.length >= this.history.topology.hosts.length - 1;
    const zone = u.b.host.zone ? `zone ${short(u.b.host.zone)}` : "",
      room = u.b.w - 30 - width(name, 12.5),
      cut = plural(far.length, "host");
    const words = !p.on
      ? ["✕ no power", "✕"]
      : far.length
        ? [all ? "✕ cut off" : `✕ cut from ${cut}`, "✕ cut"]
        : p.slow
          ? ["slow disk", "slow"]
          : [zone, zone.replace("zone ", "")];
    put(
      u.g,
      "class",
      `km-pick km-host${p.on ? "" : " km-off"}${far.length ? " km-cutoff" : ""}${sel === name ? " km-sel" : ""}`,
    );
    put(u.right, "text", fit(room, 11, ...words));
    put(u.right, "class", !p.on || far.length ? "km-mute km-bad-t" : "km-mute");
    const told = [
      `host ${name}`,
      zone,
      !p.on && "no power",
      far.length && (all ? "cut off" : "cut from " + far.join(", ")),
    ];
    labelled(u.g, sel === name, told.filter(Boolean).join(", "));
  }

  drawChip(st, name, u, sel) {
    const lk = look(st, name),
      [words, rights] = saying(st, name, u.b.kind, lk),
      bold = /leader|down/.test(lk.cls) ? 1.12 : 1;
    const shortest = width(words[words.length - 1]) * bold,
      right = fit(u.room - shortest - 5, 11 * bold, ...rights);
    put(
      u.text,
      "text",
      fit(u.room - (right ? width(right, 11) * bold + 5 : 0), 12 * bold, ...words),
    );
    put(u.right, "text", right);
    put(
      u.g,
      "class",
      `km-pick km-chipg km-k-${u.b.kind} km-${lk.cls}${sel === name ? " km-sel" : ""}`,
    );
    put(u.right, "class", /✕/.test(right) ? "km-mute km-bad-t" : "km-mute");
    labelled(
      u.g,
      sel === name,
      [name, lk.word, rights[0], holds(st, name) ? "holds the lease" : ""]
        .filter(Boolean)
        .join(", "),
    );
  }

  /** What the balancer says of the servers; of two, the one that has the address. */
  drawBalancer(st) {
    if (!this.ui.lbNote) return;
    const doors = Object.keys(st.backends),
      at = doors.find((name) => hasAddress(st, name)) || doors[0];
    const known = Object.values(st.backends[at] || {}),
      up = known.filter((x) => x.up).length;
    put(this.ui.lbNote, "text", known.length ? `${up} up, ${known.length - up} down` : "");
  }

  drawLines(st) {
    const hostOf = (n) => (st.programs[n] || {}).host;
    for (const l of this.ui.line) {
      const cut = l.host
        ? offside(st, l.host).length
        : l.a && hostOf(l.a) && hostOf(l.b) && isCut(st, hostOf(l.a), hostOf(l.b));
      const down = (x) => !x.up && (x.server === l.b || x.server === hostOf(l.b));
      const bad = !!(cut || (l.a && Object.values(st.backends[l.a] || {}).some(down)));
      const idle = l.b && shares(st, l.b) && !hasAddress(st, l.b) && !bad;
      put(l.e, "class", "km-wire" + (bad ? " km-wire-bad" : idle ? " km-wire-none" : ""));
      const [x, y] = l.pts[l.pts.length - 1],
        below = l.host && l.pts[0][1] >= l.pts[1][1];
      put(l.x, "d", cross(bad, [x, y + (below ? 7 : -7)]));
    }
  }

  drawPeers(st) {
    const hostOf = (n) => (st.programs[n] || {}).host;
    for (const l of this.ui.peer) {
      const cut = isCut(st, hostOf(l.a), hostOf(l.b)),
        ends = [look(st, l.a).cls, look(st, l.b).cls];
      const lead = ends.includes("leader"),
        dead = ends.includes("down");
      put(
        l.e,
        "class",
        "km-wire" +
          (cut || (lead && dead) ? " km-wire-bad" : lead ? " km-wire-lead" : " km-wire-none"),
      );
      put(l.x, "d", cross(cut, along(l.pts, 0.5)));
    }
  }

  drawPods(st, sel) {
    const { ui } = this,
      seen = new Set();
    for (const [host, pods] of Object.entries(st.pods))
      for (const pod of Object.values(pods)) {
        const xy = this.places.podAt(host, pod.name),
          key = host + "/" + pod.name;
        if (!xy) continue;
        seen.add(key);
        if (!ui.pod[key]) ui.host[host].pods.append((ui.pod[key] = podMark(this.ctl, pod, xy)).g);
        drawPod(ui.pod[key], pod, !!(st.hosts[host] && st.hosts[host].on), sel);
      }
    for (const key of Object.keys(ui.pod))
      if (!seen.has(key)) {
        ui.pod[key].g.remove();
        delete ui.pod[key];
      }
  }

  drawRules(st, host, u, sel) {
    const rule = Object.values(st.rules[`kube-proxy@${host}`] || {}).find(
        (r) => base(r.service) === u.name,
      ),
      ends = rule ? rule.endpoints : [];
    const gone = ends.filter((e) => {
      const pod = (st.pods[e.node] || {})[base(e.pod || "")];
      return !pod || !st.hosts[e.node].on || pod.state === "stopping";
    }).length;
    const n = ends.length,
      tail = gone ? `, ✕ ${gone} gone` : "",
      to = `${u.name} → ${plural(n, "pod")}`;
    const words = gone
      ? [`rules: ${to}${tail}`, `${u.name} → ${n}${tail}`, `→ ${n}, ✕ ${gone}`]
      : [`rules: ${to}`, to, `→ ${n}`];
    put(u.text, "text", fit(u.r.w - 18, 11, ...words));
    put(u.text, "class", gone ? "km-mute km-bad-t" : "km-mute");
    const where = rule ? ends.map((e) => e.ip).join(", ") || "nowhere" : "nothing yet";
    labelled(u.g, sel === u.name, `rules in the kernel of ${host}: ${u.name} to ${where}`);
  }

  /** The Service: what the hosts' kernels are programmed with, right or stale. */
  drawService(st, b, sel) {
    const { g, sub } = this.ui.service[b.name],
      rules = Object.values(st.rules).flatMap((x) => Object.values(x));
    const mine = rules.filter((r) => base(r.service) === b.name),
      ends = new Map(),
      meta = st.services[b.name] || {};
    for (const r of mine) for (const e of r.endpoints) ends.set(e.pod || e.ip, e);
    const ip = (mine[0] && mine[0].ip) || meta.ip || meta.clusterIP || "";
    put(
      sub,
      "text",
      fit(b.w - 18, 11, `${ip} → ${plural(ends.size, "pod")}`, `${ip} → ${ends.size}`, ip),
    );
    put(g, "class", `km-pick km-chipg km-k-service km-up${sel === b.name ? " km-sel" : ""}`);
    labelled(g, sel === b.name, `Service ${b.name}, ${plural(ends.size, "endpoint")}`);
  }

  drawDots(st, fly) {
    const kids = [];
    for (const m of fly.messages) {
      const pts = this.routes.routes[m.from + ">" + m.to];
      if (!pts) continue;
      const [x, y] = along(pts, m.f);
      kids.push(
        m.lost && m.f > 0.45
          ? dot(x, y, "lost")
          : dot(x, y, /vote/i.test(m.type) ? "vote" : "msg", 4),
      );
    }
    for (const r of fly.requests) {
      const pts = this.routes.way(st, r);
      if (pts.length > 1) kids.push(traveller(r, pts));
    }
    this.dots.replaceChildren(...kids);
  }
}

function traveller(r, pts) {
  const good = r.outcome === "ok",
    [x, y] = along(pts, r.done && !good ? 1 : r.f);
  const e = dot(
    x,
    y,
    r.done ? r.outcome : r.waiting ? "wait" : r.kind === "service" && good ? "ok" : "msg",
  );
  if (r.done && !good) e.setAttribute("opacity", Math.max(0.15, r.f).toFixed(2));
  return e;
}

function drawPod(u, pod, on, sel) {
  const cls = !on ? "down" : pod.state !== "running" ? pod.state : pod.ready ? "ready" : "unready",
    ip = pod.ip ? ", " + pod.ip : "";
  put(u.g, "class", `km-pick km-pod km-pod-${cls}${sel === pod.name ? " km-sel" : ""}`);
  put(u.mark, "text", POD_MARKS[cls] || "");
  put(u.sub, "text", pod.ip || (cls === "starting" ? "starting" : ""));
  const ready = pod.state === "running" ? (pod.ready ? ", ready" : ", not ready") : "";
  labelled(
    u.g,
    sel === pod.name,
    `pod ${pod.name}, ${on ? pod.state + ready : "its host has no power"}${ip}`,
  );
}

/** What a chip says: [wordings, widest first], [right-hand wordings]. */
function saying(st, name, kind, lk) {
  const stop = lk.cls === "down" ? "✕ " : lk.cls === "paused" ? "‖ " : "",
    member = st.members[name],
    mark = lk.mark ? lk.mark + " " : "";
  if (member)
    return [
      [`${mark}${name} ${lk.word}`, `${mark}${name}`],
      lk.cls === "down" ? ["disk kept", ""] : [`term ${member.term}`, `t${member.term}`, ""],
    ];
  if (kind === "apiserver") {
    const ready = (st.ready[name] || {}).ready ? ["ready", "✓"] : ["✕ not ready", "✕"];
    return [
      [stop + LONG.apiserver, stop + "API server", stop + "api"],
      lk.cls === "up" ? ready : [lk.word, ""],
    ];
  }
  if (shares(st, name)) {
    const mine = hasAddress(st, name) ? ["★ address", "★"] : [""];
    return [
      [`${stop}${st.programs[name].host} balancer`, `${stop}${st.programs[name].host}`],
      mine,
    ];
  }
  if (kind === "keeper") {
    const { state } = st.vrrp[name] || { state: "BACKUP" };
    return [
      [stop + "keepalived", stop + "keep"],
      lk.cls === "up" ? [state, state[0]] : [lk.word, ""],
    ];
  }
  if (kind === "kubelet" || kind === "kube-proxy")
    return [[stop + kind], [lk.cls === "up" ? "✓" : ""]];
  const label = LONG[kind] || name.split("@")[0];
  return [[stop + label, stop + (BRIEF[label] || label)], [holds(st, name) ? "●" : ""]];
}

function picture(topology) {
  const n = (role) => topology.hosts.filter((x) => x.role === role).length;
  const parts = [
    n("lb") && (n("lb") > 1 ? plural(n("lb"), "load balancer") : "load balancer"),
    plural(n("control-plane"), "control-plane host"),
    n("etcd") && plural(n("etcd"), "etcd host"),
    plural(n("worker"), "worker"),
  ];
  return parts.filter(Boolean).join(", ");
}

const render = ({ model, el }) =>
  widget({
    model,
    el,
    name: "cluster-map",
    label: "Cluster map",
    make: (ctl) => new ClusterMap(ctl),
  });
export default { render };

// What both widgets share: folding a recording into a state, and the frame around the picture
// (sentence, inspector, list, timeline, prediction, table, keys).
// Invariant: everything on screen is a function of (run, t); a reader's action asks for a new run, nothing else.
// Interface: model keys run, kernel, caption, options; sends simulate | golive | link; receives status | error.
var kmCommon = (() => {
  "use strict";
  const NS = "http://www.w3.org/2000/svg";
  const SECOND = 1e6;
  const MARKS = { ok: "●", failed: "✕", unknown: "?", warn: "▲", bad: "✕" };
  const ROOMY = 1000; // px of window: from here on more than the picture fits above the time
  const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];

  // ---- small tools -------------------------------------------------------------------------------------------
  function fill(e, props, kids) {
    for (const [k, v] of Object.entries(props || {})) {
      if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
      else if (v === true) e.setAttribute(k, "");
      else if (v !== false && v != null) e.setAttribute(k, v);
    }
    e.append(...kids.flat().filter((x) => x != null && x !== false));
    return e;
  }
  const h = (tag, props, ...kids) => fill(document.createElement(tag), props, kids);
  const s = (tag, props, ...kids) => fill(document.createElementNS(NS, tag), props, kids);
  const button = (text, onclick, props) => h("button", { type: "button", class: "km-b", onclick, ...props }, text);
  /** Set one attribute (or "text") only if it changes: playing touches the page as little as possible. */
  function put(e, name, value) {
    const seen = (e.kmSeen ||= {});
    if (seen[name] === value) return;
    seen[name] = value;
    if (name === "text") e.textContent = value;
    else if (value == null || value === false) e.removeAttribute(name);
    else e.setAttribute(name, value);
  }
  const seconds = (us, digits = 2) => (us / SECOND).toFixed(digits);
  const bytes = (n) => (n >= 1048576 ? `${+(n / 1048576).toFixed(1)} MiB` : `${Math.round(n / 1024)} KiB`);
  const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;
  /** Microseconds in "12s", "200ms", "2m" or a number of seconds, as scenarios write instants. */
  function instant(v) {
    const [, n, unit] = /^\s*([\d.]+)\s*(us|ms|s|m|h)?\s*$/.exec(String(v)) || [0, 0, "s"];
    return Math.round(n * { us: 1, ms: 1000, s: SECOND, m: 60 * SECOND, h: 3600 * SECOND }[unit || "s"]);
  }
  const clamp = (x, lo, hi) => Math.min(hi, Math.max(lo, x));
  /** How many leading items of a sorted list have at(item) <= t. */
  function upto(list, t, at = (x) => x) {
    let lo = 0, hi = list.length;
    while (lo < hi) { const mid = (lo + hi) >> 1; if (at(list[mid]) <= t) lo = mid + 1; else hi = mid; }
    return lo;
  }
  let pen = null;
  const widths = new Map();
  /** How wide *text* is at *size* px, measured where there is a canvas. */
  function width(text, size = 12) {
    let w = widths.get(text);
    if (w === undefined) {
      pen ||= document.createElement("canvas").getContext("2d") || { measureText: (x) => ({ width: x.length * 6.8 }) };
      pen.font = '12px system-ui, "Segoe UI", Roboto, sans-serif';
      widths.set(text, (w = pen.measureText(text).width));
    }
    return (w * size) / 12;
  }
  /** The first wording that fits into *room* pixels, else the last. */
  const fit = (room, size, ...words) => words.find((w) => width(w, size) <= room) ?? words[words.length - 1];
  const storage = {
    get(key) { try { return JSON.parse(localStorage.getItem("kubemini." + key)); } catch { return null; } },
    set(key, value) { try { localStorage.setItem("kubemini." + key, JSON.stringify(value)); } catch { /* private mode: not kept */ } },
  };

  /** Keys pressed inside *root* are the widget's, known or not. JupyterLab looks for its shortcuts before the widget
   * hears of a key, and spares only an element that says so itself: so whatever has the focus says so. */
  function keepKeys(root) {
    root.addEventListener("focusin", (ev) => ev.target.setAttribute("data-lm-suppress-shortcuts", "true"));
    root.addEventListener("keydown", (ev) => { if (ev.key === "Escape" && !ev.defaultPrevented) leave(root); ev.stopPropagation(); });
  }
  /** The focus goes back to what the widget stands in: the notebook's cell, else the page. */
  function leave(root) {
    const around = root.parentElement.closest("[tabindex]");
    document.activeElement.blur();
    if (around) around.focus({ preventScroll: true });
  }
  /** Do *work*; if it took away what had the focus, *root* has it. */
  function keepFocus(root, work) {
    const had = root.contains(document.activeElement);
    work();
    if (had && !root.contains(document.activeElement)) root.focus({ preventScroll: true });
  }

  // ---- names -------------------------------------------------------------------------------------------------
  const KINDS = [[/^etcd-\d/, "etcd"], [/^apiserver/, "apiserver"], [/^scheduler/, "scheduler"], [/^controller-manager/, "controllers"], [/^kubelet/, "kubelet"], [/^kube-proxy/, "kube-proxy"], [/^haproxy/, "lb"], [/^pods@/, "pods"], [/^visitor@/, "visitor"]];
  const kindOf = (name) => (KINDS.find(([re]) => re.test(name)) || [0, "client"])[1];
  const LONG = { apiserver: "kube-apiserver", scheduler: "scheduler", controllers: "controllers", lb: "load balancer" };

  const SPARE = "not a member yet";

  // ---- fold: records up to t → state -------------------------------------------------------------------------
  function blank(topology) {
    const st = { i: 0, comp: {}, host: {}, etcd: {}, cuts: [], ready: {}, backend: {}, holder: {}, pods: {}, rules: {}, service: {}, node: {}, kv: {}, revision: 0, links: [] };
    for (const host of topology.hosts) {
      st.host[host.name] = { on: true, since: 0, slow: 0 };
      for (const c of host.components) st.comp[c] = { host: host.name, up: true, paused: false, since: 0 };
    }
    for (const m of topology.spares || []) Object.assign(st.comp[m], { up: false, why: SPARE });
    for (const m of [...(topology.etcd || []), ...(topology.spares || [])]) st.etcd[m] = emptied();
    return st;
  }
  const emptied = () => ({ role: "follower", term: 0, lead: null, last: 0, commit: 0, applied: 0, revision: 0, log: [], room: null });
  const among = (m, st) => [...st.voters, ...(st.learners || [])].includes(m);
  const part = (st, name) => (st.comp[name] ||= { host: null, up: true, paused: false, since: 0 });
  const FOLD = {
    start(st, at, who) { Object.assign(part(st, who), { up: true, paused: false, since: at, why: "" }); if (st.etcd[who]) Object.assign(st.etcd[who], { role: "follower", lead: null }); },
    crash(st, at, who) { Object.assign(part(st, who), { up: false, paused: false, since: at }); delete st.ready[who]; for (const l of Object.keys(st.holder)) if (st.holder[l] === who) delete st.holder[l]; },
    exit(st, at, who, d) { FOLD.crash(st, at, who); part(st, who).why = d.why; },
    pause(st, at, who) { Object.assign(part(st, who), { paused: true, since: at }); },
    resume(st, at, who) { Object.assign(part(st, who), { paused: false, since: at }); },
    power_off(st, at, who) {
      st.host[who] = { ...st.host[who], on: false, since: at };
      for (const [name, c] of Object.entries(st.comp)) if (c.host === who && c.up) FOLD.crash(st, at, name);
    },
    power_on(st, at, who) { st.host[who] = { ...st.host[who], on: true, since: at }; st.pods[who] = {}; },
    slow_disk(st, at, who, d) { if (st.host[d.host || who]) st.host[d.host || who].slow = d.extra; },
    cut(st, at, who, d) { st.cuts.push({ ...d, at }); },
    heal(st) { st.cuts = []; st.links = []; },
    latency(st, at, who, d) { st.links.push({ what: "latency", ...d }); },
    loss(st, at, who, d) { st.links.push({ what: "loss", ...d }); },
    role(st, at, who, d) { Object.assign((st.etcd[who] ||= { log: [] }), d); },
    compact(st, at, who, d) { const m = st.etcd[who]; if (m) m.log = m.log.filter((e) => e[0] > d.index); },
    snapshot(st, at, who, d) { const m = st.etcd[who]; if (m) Object.assign(m, { log: [], last: d.index, commit: d.index, applied: d.index, revision: d.revision }); },
    restore(st, at, who, d) {
      const m = st.etcd[who]; if (m) Object.assign(m, emptied(), { revision: d.revision });
      st.voters = d.members; st.learners = []; st.revision = d.revision; st.kv = {};
      for (const [key, [value, revision]] of Object.entries(d.kv)) st.kv[key] = { value, revision };
    },
    membership(st, at, who, d) {
      for (const m of [...d.voters, ...d.learners]) if (st.voters && !among(m, st) && st.etcd[m]) Object.assign(st.etcd[m], emptied()); // a new member begins with an empty disk
      st.voters = d.voters; st.learners = d.learners;
    },
    room(st, at, who, d) { if (st.etcd[who]) st.etcd[who].room = d; },
    alarm(st, at, who, d) { (st.alarms ||= {})[d.member] = d.raised ? d.alarm : ""; },
    append(st, at, who, d) {
      const m = st.etcd[who]; if (!m) return;
      m.log = m.log.filter((e) => e[0] < d.index);
      const from = m.log.length ? m.log[m.log.length - 1][0] : Math.max(m.last, d.index - 24);
      for (let i = Math.max(from + 1, d.index - 24); i <= d.index; i++) m.log.push([i, d.term]);
      m.log = m.log.slice(-24); m.last = d.index;
    },
    truncate(st, at, who, d) { const m = st.etcd[who]; if (m) { m.log = m.log.filter((e) => e[0] < d.index); m.last = d.index - 1; } },
    commit(st, at, who, d) { if (st.etcd[who]) st.etcd[who].commit = d.index; },
    apply(st, at, who, d) { const m = st.etcd[who]; if (m) { m.applied = d.index; m.commit = Math.max(m.commit || 0, d.index); m.revision = d.revision; } },
    kv(st, at, who, d) { st.revision = d.revision; if (d.value == null) delete st.kv[d.key]; else st.kv[d.key] = { value: d.value, revision: d.revision }; },
    ready(st, at, who, d) { st.ready[who] = d; },
    backend(st, at, who, d) { (st.backend[who] ||= {})[d.server] = d; },
    holder(st, at, who, d) { st.holder[d.lease] = st.comp[who] ? who : d.holder; },
    object(st, at, who, d) {
      const box = d.kind === "Service" ? st.service : d.kind === "Node" ? st.node : null;
      if (box && d.verb === "DELETED") delete box[d.name]; else if (box) box[d.name] = { namespace: d.namespace, ...d.summary };
    },
    pod(st, at, who, d) {
      const pods = (st.pods[part(st, who).host || who.split("@")[1]] ||= {});
      if (d.state === "gone") delete pods[d.name]; else pods[d.name] = { ...d, since: at };
    },
    rules(st, at, who, d) { (st.rules[who] ||= {})[d.service] = d; },
  };
  const step = (st, [at, who, what, d]) => FOLD[what] && FOLD[what](st, at, who, d);

  /** The records of a recording, which stands there in columns (view/columns.py), as rows [at, who, what, detail] again. */
  function unpacked({ names, at, who, what, fields }) {
    const last = {}, next = {};
    let t = 0;
    return at.map((dt, i) => {
      const w = names[who[i]], k = names[what[i]], n = (next[k] = (next[k] ?? -1) + 1), d = {};
      t += dt;
      for (const [f, column] of Object.entries(fields[k])) {
        const v = column[n], key = w + k + f;
        d[f] = v == null ? null : /^(started|arrives|since|until)$/.test(f) ? v + t : /^(index|revision)$/.test(f) ? (last[key] = (last[key] || 0) + v) : v;
      }
      return [t, w, k, d];
    });
  }

  /** A run made fast to scrub: key frames, moments, flights. */
  class History {
    constructor(run) {
      this.run = run; this.header = run.header; this.records = unpacked(run.records); this.until = run.header.until; this.topology = run.header.topology;
      this.frames = []; this.messages = []; this.requests = [];
      const st = blank(this.topology); let flight = 0;
      this.records.forEach((r, i) => {
        if (i % 400 === 0) this.frames.push(JSON.stringify({ ...st, i }));
        step(st, r);
        if (r[2] === "message") this.messages.push({ at: r[0], from: r[1], ...r[3] });
        if (r[2] === "request") { this.requests.push({ at: r[0], from: r[1], ...r[3] }); flight = Math.max(flight, r[0] - r[3].started); }
      });
      this.flight = flight;
      this.behind();
      this.ended = this.requests.slice();
      this.requests.sort((a, b) => a.started - b.started);
      this.commands = [...(run.header.scenario_commands || []).map((c) => ({ c, by: "scenario" })), ...(run.header.commands || []).map((c) => ({ c, by: "you" }))]
        .map(({ c, by }) => ({ at: instant(c[0]), action: c[1], args: c.slice(2), by })).filter((c) => c.at <= this.until).filter((c) => c.at < this.until).sort((a, b) => a.at - b.at);
      this.story = run.story || [];
      this.rows = this.snap(run.table || []);
      this.moments = [...new Set([0, ...this.rows.map((r) => r.at), ...this.story.map((r) => r[0]), ...this.commands.map((c) => c.at), this.until])].filter((x) => x <= this.until).sort((a, b) => a - b);
      this.cache = null;
    }
    /** A write through a balancer: its API server is the one that wrote the object meanwhile. */
    behind() {
      const objects = this.records.filter((r) => r[2] === "object");
      for (const r of this.requests) {
        const lastStop = (r.via || [])[r.via ? r.via.length - 1 : 0];
        if (r.kind !== "api" || kindOf(lastStop || "") !== "lb" || r.outcome !== "ok") continue;
        const name = String(r.path).split("/").pop();
        for (let i = upto(objects, r.at, (o) => o[0]) - 1; i >= 0 && objects[i][0] >= r.started; i--)
          if (objects[i][3].name === name || r.verb === "POST") {
            const api = objects[i][1], host = this.topology.hosts.find((x) => x.components.includes(api));
            r.via = [...r.via, api, ...(host ? host.components.filter((c) => kindOf(c) === "etcd") : [])]; break;
          }
      }
    }
    /** Rows of the table carry rounded times; give each the exact time of its record, so that a step shows it. */
    snap(table) {
      let from = 0;
      return table.map(([text, who, words]) => {
        const digits = (String(text).split(".")[1] || "").replace(/\D/g, "").length, ulp = SECOND / 10 ** digits;
        const near = Math.round(parseFloat(text) * SECOND);
        while (from < this.records.length && this.records[from][0] < near - ulp) from++;
        let at = near;
        for (let i = from; i < this.records.length && this.records[i][0] < near + ulp; i++) if (this.records[i][1] === who) { at = this.records[i][0]; break; }
        return { at, text, who, words };
      });
    }
    at(t) {
      const n = upto(this.records, t, (r) => r[0]);
      let st = this.cache;
      if (!st || st.i > n || n - st.i > 400) st = this.frames.length ? JSON.parse(this.frames[Math.min(this.frames.length - 1, Math.floor(n / 400))]) : blank(this.topology);
      while (st.i < n) step(st, this.records[st.i++]);
      return (this.cache = st);
    }
    /** Things under way at t, drawn for at least *d* µs: on the wire they last a millisecond. */
    flying(t, d) {
      const out = { messages: [], requests: [] };
      for (let i = upto(this.messages, t, (m) => m.at) - 1, seen = 0; i >= 0 && seen < 400 && this.messages[i].at > t - 2.2 * d - SECOND; i--, seen++) {
        const m = this.messages[i], real = m.arrives == null ? 0 : m.arrives - m.at, takes = Math.max(real, d);
        const from = m.at + (/resp|answer|reply/i.test(m.type) ? takes - real : 0), f = (t - from) / takes;
        if (f >= 0 && f < (m.arrives == null ? 0.6 : 1) && out.messages.length < 40) out.messages.push({ ...m, f, lost: m.arrives == null });
      }
      for (let i = upto(this.requests, t, (r) => r.started) - 1, seen = 0; i >= 0 && seen < 400 && this.requests[i].started > t - this.flight - 2 * d; i--, seen++) {
        const r = this.requests[i], back = Math.max(r.at, r.started + d), done = t >= back;
        if (t < back + d * 0.8 && out.requests.length < 30) out.requests.push({ ...r, f: done ? 1 - (t - back) / (d * 0.8) : Math.min(1, (t - r.started) / d), done, waiting: !done && t - r.started > d });
      }
      return out;
    }
    said(t) { const n = upto(this.story, t, (x) => x[0]); return this.story[Math.max(0, n - 1)] || [0, "ok", this.header.title || "", ""]; }
    happened(t) { return upto(this.rows, t, (x) => x.at); }
  }

  // ---- facts about a state -----------------------------------------------------------------------------------
  const alive = (st, name) => { const c = st.comp[name]; return !!c && c.up && (!c.host || !st.host[c.host] || st.host[c.host].on); };
  /** What one member looks like: the fixed mark, class and word of the book. */
  function look(st, name) {
    const c = st.comp[name] || {}, e = st.etcd[name];
    if (e && !c.up && (st.voters ? !among(name, st) : c.why === SPARE)) return { cls: "spare", mark: "", word: e.last ? "removed" : "spare" };
    if (!alive(st, name)) return { cls: "down", mark: "✕", word: st.host[c.host] && !st.host[c.host].on ? "no power" : c.why ? "not running" : "crashed" };
    if (c.paused) return { cls: "paused", mark: "‖", word: "paused" };
    if (!e) return { cls: "up", mark: "", word: "running" };
    if (e.role === "leader") return { cls: "leader", mark: "★", word: "leader" };
    if (/candidate/.test(e.role)) return { cls: "candidate", mark: "◇", word: e.role };
    if ((st.learners || []).includes(name)) return { cls: "learner", mark: "◔", word: "learner" };
    return { cls: "follower", mark: "", word: e.role || "follower" };
  }
  const isCut = (st, a, b) => st.cuts.some((c) => (c.a.includes(a) && c.b.includes(b)) || (c.b.includes(a) && c.a.includes(b)));
  const cutFrom = (st, host) => Object.keys(st.host).filter((o) => o !== host && isCut(st, host, o));
  /** The hosts *host* cannot reach, if that is most of them: the larger side of a cut is not cut off. */
  function offside(st, host) { const far = cutFrom(st, host); return far.length * 2 > Object.keys(st.host).length - 1 ? far : []; }
  /** The members' hosts that the one of *m* cannot reach, if so it reaches no quorum of them. */
  function apart(st, topology, m) {
    const hosts = (st.voters || topology.etcd).map((x) => (st.comp[x] || {}).host), far = hosts.filter((x) => isCut(st, st.comp[m].host, x));
    return hosts.length - far.length < Math.floor(hosts.length / 2) + 1 ? far : [];
  }
  /** Members up, members needed, and how many of those up can talk to each other. */
  function quorum(st, topology) {
    const members = st.voters || topology.etcd || [], need = (!st.voters && topology.quorum) || Math.floor(members.length / 2) + 1;
    const up = members.filter((m) => alive(st, m) && !st.comp[m].paused);
    const together = Math.max(0, ...up.map((m) => up.filter((o) => !isCut(st, st.comp[m].host, st.comp[o].host)).length));
    return { members, need, up: up.length, together };
  }
  function meter() {
    const words = h("div", { class: "km-quorum" }), bars = h("div", { class: "km-meter", "aria-hidden": "true" });
    const node = h("section", {}, h("div", { class: "km-h4" }, "Quorum"), words, bars);
    return { node, draw(st, topology) {
      const q = quorum(st, topology), spare = q.together - q.need;
      put(words, "text", q.up > q.together && q.members.length > 1 ? `${q.up} up, ${q.together} can talk to each other, ${q.need} needed` : `${q.up} up, ${q.need} needed: ${spare < 0 ? "no writes" : spare === 0 ? "none may fail now" : `${spare} more may fail`}`);
      node.classList.toggle("km-lost", spare < 0);
      while (bars.children.length < q.members.length) bars.append(h("i"));
      while (bars.children.length > q.members.length) bars.lastChild.remove();
      q.members.forEach((m, i) => put(bars.children[i], "class", "km-m-" + look(st, m).cls));
    } };
  }

  /** The inspector's words: a title, then sentences. */
  function describe(sel, st, t, history) {
    const topology = history.topology, host = topology.hosts.find((x) => x.name === sel), c = st.comp[sel], ago = (at) => `${seconds(t - at, 1)} s ago`;
    if (host) {
      const p = st.host[sel], far = cutFrom(st, sel), rest = topology.hosts.length - 1;
      return [sel, [host.zone && `zone ${short(host.zone)}`, p.on ? "power on" : `lost power ${ago(p.since)}, the disk is kept`].filter(Boolean).join(" · "), far.length && (far.length >= rest ? "✕ cut off from every other host" : `✕ cannot reach ${far.join(", ")}`), p.slow && `slow disk: fsync takes ${seconds(p.slow)} s longer`];
    }
    if (c) {
      const kind = kindOf(sel), lk = look(st, sel), lines = [], power = st.host[c.host], far = c.host ? cutFrom(st, c.host) : [];
      if (lk.cls === "spare") lines.push(lk.word === "spare" ? "a machine without etcd: it can be added" : "removed: it is no member any more");
      if (lk.cls === "down") lines.push(`✕ ${power && !power.on ? "its host lost power" : c.why || "crashed"} ${ago(power && !power.on ? power.since : c.since)}${kind === "etcd" ? `, log ${st.etcd[sel].last}: the disk is kept` : ""}`);
      else if (lk.cls === "paused") lines.push(`‖ paused ${ago(c.since)}: it does nothing, and does not know it`);
      const e = st.etcd[sel];
      if (e && !/down|spare/.test(lk.cls)) lines.push(`${lk.mark ? lk.mark + " " : ""}${lk.cls === "learner" ? "learner, no vote, in" : e.role + " of"} term ${e.term}${e.lead && e.lead !== sel ? `, follows ${e.lead}` : ""}`, `log ${e.last} · commit ${e.commit} · revision ${e.revision}`);
      if (e && e.room) lines.push(`database ${bytes(e.room.size)} of ${bytes(e.room.quota)}, in use ${bytes(e.room.in_use)}`);
      if (e && (st.alarms || {})[sel]) lines.push(`▲ raised the alarm ${st.alarms[sel]}: etcd refuses writes that need room`);
      if (kind === "apiserver") {
        const r = st.ready[sel]; if (lk.cls === "up") lines.push(r && r.ready ? "ready" : `not ready${r && r.why ? ": " + r.why : ""}`);
        for (const [lb, b] of Object.entries(st.backend)) { const x = b[sel] || b[c.host]; if (x) lines.push(`${lb} counts it ${x.up ? "up" : "down"}${x.why ? ": " + x.why : ""}`); }
      }
      if (kind === "scheduler" || kind === "controllers") {
        const lease = Object.entries(st.holder).find(([l, w]) => (kind === "scheduler") === /scheduler/.test(l) && w);
        lines.push(!lease ? "nobody at work holds the lease" : holds(st, sel) ? `● holds the lease ${lease[0]}` : `waits: ${lease[1]} holds the lease`);
      }
      if (kind === "kubelet") lines.push(`${plural(Object.keys(st.pods[c.host] || {}).length, "pod")} on ${c.host}${lk.cls === "down" ? ": they go on without it" : ""}`);
      if (kind === "kube-proxy") {
        for (const r of Object.values(st.rules[sel] || {})) lines.push(`${base(r.service)} ${r.ip} → ${r.endpoints.map((x) => x.ip).join(", ") || "nowhere"}`);
        if (lk.cls === "down") lines.push("The kernel keeps these rules. Nobody updates them.");
      }
      if (kind === "lb") for (const x of Object.values(st.backend[sel] || {})) lines.push(`${x.up ? "●" : "✕"} ${x.server} ${x.up ? "up" : "down"}${x.why ? ": " + x.why : ""}`);
      if (kind === "visitor") { const r = Object.values(st.rules[`kube-proxy@${c.host}`] || {}); lines.push(`a program on ${c.host}: its packets follow that host's own rules`, ...r.map((x) => `${base(x.service)} → ${x.endpoints.map((y) => y.ip).join(", ") || "nowhere"}`)); }
      if (kind === "client" || kind === "visitor") lines.push(tally(history, sel, t));
      if (far.length) lines.push(`✕ ${c.host} cannot reach ${far.length >= topology.hosts.length - 1 ? "any other host" : far.join(", ")}`);
      if (power && power.slow && kind === "etcd") lines.push(`slow disk: fsync takes ${seconds(power.slow)} s longer`);
      return [sel, ...lines];
    }
    for (const [on, pods] of Object.entries(st.pods)) if (pods[sel]) { const p = pods[sel]; return [sel, `pod on ${on} · ${p.ip || "no IP yet"}`, `${p.state}${p.state === "running" ? (p.ready ? ", ready" : ", not ready") : ""}`]; }
    const rules = Object.entries(st.rules).filter(([, r]) => Object.keys(r).some((x) => base(x) === sel));
    if (rules.length || st.service[sel]) return [`Service ${sel}`, ...rules.map(([who, r]) => { const x = Object.values(r).find((y) => base(y.service) === sel); return `${who.split("@")[1] || who} sends to ${x.endpoints.map((y) => y.ip).join(", ") || "nowhere"}`; }), !rules.length && "no host is programmed with it yet"];
    return [sel || "Nothing selected", sel ? "not there at this moment" : "Select a component."];
  }
  const base = (name) => String(name).split("/").pop();
  const holds = (st, name) => Object.entries(st.holder).some(([l, w]) => w === name && /scheduler/.test(l) === /^scheduler/.test(name));
  function tally(history, who, t) {
    const n = { ok: 0, failed: 0, unknown: 0 };
    for (const r of history.ended) { if (r.at > t) break; if (r.from === who) n[r.outcome]++; }
    return `● ${n.ok} ok · ✕ ${n.failed} failed · ? ${n.unknown} unknown`;
  }

  // ---- actions: only those that make sense now ---------------------------------------------------------------
  const isMember = (name, st, topology) => (st.voters ? among(name, st) : topology.etcd.includes(name));
  function actionsFor(sel, st, topology) {
    const out = [], add = (label, action, args, props) => out.push({ label, action, args, ...props });
    const host = topology.hosts.find((x) => x.name === sel), comp = st.comp[sel], onHost = host ? sel : comp && comp.host;
    const power = onHost && st.host[onHost];
    if (host) {
      if (power.on) add("Power off", "power_off", [sel], { danger: true, key: "c" }); else add("Power on", "power_on", [sel], { main: true, key: "c" });
    } else if (comp) {
      if (power && !power.on) add(`Power on ${onHost}`, "power_on", [onHost], { main: true, key: "c" });
      else if (st.etcd[sel] && !comp.up && !isMember(sel, st, topology)) { add("Add as voter", "member_add", [sel], { main: true, key: "c" }); add("Add as learner", "member_add", [sel, "learner"]); }
      else if (!comp.up) add("Restart", "restart", [sel], { main: true, key: "c" });
      else {
        add("Crash", "crash", [sel], { danger: true, key: "c" });
        if (comp.paused) add("Resume", "resume", [sel], { main: true, key: "p" }); else add("Pause", "pause", [sel], { key: "p" });
        if ((st.learners || []).includes(sel)) add("Promote to voter", "member_promote", [sel]);
      }
      if (topology.kind === "etcd" && st.etcd[sel] && (!power || power.on) && isMember(sel, st, topology)) add("Remove", "member_remove", [sel], { danger: true });
    }
    if (onHost && power && power.on) {
      const others = topology.hosts.map((x) => x.name).filter((x) => x !== onHost);
      if (cutFrom(st, onHost).length < others.length && others.length) add(host || topology.kind === "etcd" ? "Cut off" : `Cut off ${onHost}`, "cut", [onHost], { title: `${onHost} reaches nobody, and nobody reaches it: not even clients` });
      const disk = host ? host.components.some((c) => kindOf(c) === "etcd") : kindOf(sel) === "etcd";
      if (disk) add(power.slow ? "Normal disk" : "Slow disk", "slow_disk", [onHost, power.slow ? "0ms" : "500ms"]);
    }
    if (st.cuts.length) add("Heal network", "heal", [], { main: true });
    const zone = host && host.zone, zones = new Set(topology.hosts.map((x) => x.zone).filter(Boolean));
    if (zone && zones.size > 1) {
      const dark = topology.hosts.filter((x) => x.zone === zone).every((x) => !st.host[x.name].on);
      if (dark) add(`Restore zone ${short(zone)}`, "zone_restore", [zone]); else add(`Lose zone ${short(zone)}`, "zone_outage", [zone], { danger: true });
    }
    return out;
  }
  const short = (zone) => String(zone).replace(/^zone[- ]?/, "");

  // ---- as Python, as a link ----------------------------------------------------------------------------------
  const py = (v) => (typeof v === "number" ? (Number.isInteger(v) ? v.toFixed(1) : String(v)) : JSON.stringify(v));
  function asPython(header) {
    const rows = (header.commands || []).map((c) => `(${[py(c[0]), ...c.slice(1).map((x) => JSON.stringify(x))].join(", ")})`);
    const list = rows.length > 1 ? `[\n    ${rows.join(",\n    ")},\n]` : `[${rows.join("")}]`;
    const values = Object.entries(header.params || {}).map(([k, v]) => `${JSON.stringify(k)}: ${typeof v === "boolean" ? (v ? "True" : "False") : JSON.stringify(v)}`);
    return `run(${JSON.stringify(header.scenario + (header.source ? ".yaml" : ""))}, seed=${header.seed}${rows.length ? ", commands=" + list : ""}${values.length ? `, params={${values.join(", ")}}` : ""})`;
  }
  const asHash = (id, t, header) => "#" + [id, "t=" + seconds(t), "seed=" + header.seed, "until=" + header.until / SECOND, ...Object.entries(header.params || {}).map(([k, v]) => `p=${k},${encodeURIComponent(JSON.stringify(v))}`), ...(header.commands || []).map((c) => "c=" + c.map((x) => encodeURIComponent(x).replace(/%2C/gi, "+")).join(","))].join(";");
  async function copy(text) {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* file:// or no permission */ }
    const held = document.activeElement, box = h("textarea", { style: "position:fixed;opacity:0" }); box.value = text; document.body.append(box); box.select();
    let ok = false; try { ok = document.execCommand("copy"); } catch { /* then it is shown instead */ }
    box.remove(); held.focus({ preventScroll: true }); return ok;
  }

  const HELP = [["Space or k", "play, pause"], ["← →", "one step back, one step on"], ["Home End", "to the start, to the end"], ["[ ]", "slower, faster"], ["Tab", "from component to component"],
    ["Enter", "select the component"], ["c", "crash or restart what is selected"], ["p", "pause or resume what is selected"], ["Esc", "leave the widget"], ["?", "this list"]];

  // ---- the frame ---------------------------------------------------------------------------------------------
  /** Put a widget into *el*. *make(ctl)* gives {node, setRun(history, narrow), draw(now), has(name), first(history)}, and
   * if it likes {top, under: more boxes, more(sel, st): of the inspector, state(sel, st): when that is made anew, keys:
   * [[key, words, what]], giveUp(): on Escape, heals: it has a button of its own for that}. */
  function widget({ model, el, name, label, make }) {
    const uid = "km" + Math.random().toString(36).slice(2, 8);
    const calm = window.matchMedia ? window.matchMedia("(prefers-reduced-motion: reduce)") : { matches: false };
    const options = model.get("options") || {};
    let past = null, base = model.get("run"), t = 0, playing = false, raf = 0, last = 0, idle = 0, speed = 1, sel = null;
    let undo = [], asked = null, queued = null, ids = 0, watchdog = 0, narrow = false, shape = "", placed = "";
    const kernel = () => model.get("kernel") || "recording";
    const canLive = () => kernel() !== "recording" || options.live !== false;

    // sentence
    const tag = h("i", { class: "km-tag", "aria-hidden": "true" }), head = h("b", { class: "km-head" }), second = h("span", { class: "km-second" }), when = h("span", { class: "km-when" });
    // inspector, list
    const selTitle = h("div", { id: uid + "sel", class: "km-h4" }), selText = h("div", { class: "km-what" }), acts = h("div", { class: "km-acts" }), more = h("div", { class: "km-more" });
    const log = h("ol", { class: "km-log" });
    const live = h("p", { class: "km-sr", "aria-live": "polite" }), status = h("p", { class: "km-status", role: "status" });
    const ctl = { select, act, ask, say, kernel, canLive, calm, able: () => canLive() && !locked(), get sel() { return sel; }, get history() { return past; } };
    const view = make(ctl);
    const side = h("div", { class: "km-side" }, h("div", { class: "km-do" }, ...(view.top || []), h("div", { class: "km-insp", role: "group", "aria-labelledby": uid + "sel" }, selTitle, selText, acts, more)), h("section", {}, h("div", { class: "km-h4" }, "What happened"), log));
    // timeline
    const strips = h("div", { class: "km-strips" });
    const range = h("input", { type: "range", class: "km-range", min: 0, step: 1000, "aria-label": "simulated time", oninput: () => { play(false); seek(+range.value); } });
    range.addEventListener("change", () => announce());
    const marks = h("div", { class: "km-marks", "aria-hidden": "true" }), fillBar = h("i", { class: "km-done" });
    // controls
    const bPlay = button("", () => play(!playing), { class: "km-b km-main-b km-play" });
    const bBack = button("◀", () => stepBy(-1), { "aria-label": "previous step", title: "previous step (←)" }), bNext = button("▶|", () => stepBy(1), { "aria-label": "next step", title: "next step (→)" });
    const speeds = h("select", { class: "km-b", "aria-label": "speed", onchange: () => { speed = +speeds.value; } }, SPEEDS.map((v) => h("option", { value: v, selected: v === 1 }, v + "×")));
    const seed = h("input", { type: "number", class: "km-b km-seed", min: 0, step: 1, title: "another seed: other delays, other timeouts, the same rules", onchange: () => newSeed() });
    const bLive = button(`Go live · ${options.size || "6 MB"}`, () => { say("Starting the simulator…"); model.send({ op: "golive" }); }, { class: "km-b km-live", title: "loads Python and the simulator into this page" });
    const bReset = button("Reset", () => reset(), { title: "back to the recording" }), bUndo = button("Undo", () => back(), { title: "take back the last action" });
    const bPython = button("Copy as Python", () => copied(asPython(past.header), "The Python call is on your clipboard"));
    const bLink = button("Link", () => link(), { title: "copy a link to this moment, this seed and these actions" });
    const bTable = button("Table", () => showTable(), { "aria-expanded": "false", "aria-controls": uid + "table" });
    const bHelp = button("?", () => showHelp(), { "aria-label": "keys", "aria-expanded": "false", "aria-controls": uid + "help" });
    const table = h("div", { class: "km-table", id: uid + "table", hidden: true, role: "group", "aria-label": "Everything that happened, as a table", tabindex: "0" });
    const help = h("div", { class: "km-help", id: uid + "help", hidden: true }, h("dl", {}, [...HELP, ...(view.keys || [])].map(([k, v]) => h("div", {}, h("dt", {}, h("kbd", {}, k)), h("dd", {}, v)))),
      h("p", {}, "Messages and requests last about a millisecond. They are drawn slower than they travel, so that you can see them."));
    const gate = h("div", { class: "km-gate" }), trouble = h("div", { class: "km-trouble", hidden: true, role: "alert" });
    const ctls = h("div", { class: "km-ctl" }, bPlay, bBack, bNext, speeds, h("label", { class: "km-lab" }, "seed ", seed), bLive, bUndo, bReset, h("span", { class: "km-sp" }), bPython, bLink, bTable, bHelp, status);
    const pic = h("div", { class: "km-pic" }, view.node), body = h("div", { class: "km-body" }, pic, side);
    const bar = h("div", { class: "km-bar" }, strips, h("div", { class: "km-track" }, h("i", { class: "km-rail" }), fillBar, range), marks, ctls);
    // what is seen at once: the sentence, the picture and what can be done, the strips and the time
    const frameBox = h("div", { class: "km-frame" }, h("div", { class: "km-say" }, h("div", { class: "km-true" }, h("p", { class: "km-now-line" }, tag, " ", head), second), when), body, trouble, bar);
    const root = h("div", { class: `km km-${name}`, role: "group", "aria-label": label, tabindex: "-1" },
      frameBox, table, help, live, h("p", { class: "km-cap" }));
    el.append(root);

    // -- saying
    function say(text) { status.textContent = text || ""; }
    function announce() {
      const n = past.happened(t), row = past.rows[n - 1], now = past.said(t);
      live.textContent = `${seconds(t)} seconds. ${row && row.at === t ? row.who + ": " + row.words + ". " : ""}${now[2]} ${now[3] || ""}`;
    }
    async function copied(text, words) { say((await copy(text)) ? words + "." : text); }
    function link() {
      const host = el.closest("[id]"), id = options.id || (host && host.id) || name, hash = asHash(id, t, past.header);
      model.send({ op: "link", hash });
      copied(location.href.split("#")[0] + hash, "The link to this moment is on your clipboard");
    }

    // -- time
    const locked = () => !!options.predict && !prediction;
    function seek(to) {
      t = clamp(Math.round(to), 0, past.until);
      draw();
      if (t >= past.until) reveal();
    }
    function go(to) { play(false); seek(to); announce(); }
    function stepBy(d) {
      if (locked()) return ask4prediction();
      const i = upto(past.moments, d > 0 ? t : t - 1);
      if (d < 0 && t === 0) say("This is the start."); else if (d > 0 && t >= past.until) say("This is the end.");
      go(d > 0 ? past.moments[i] ?? past.until : past.moments[i - 1] ?? 0);
    }
    function play(on) {
      if (on && locked()) return ask4prediction();
      const was = playing;
      playing = on;
      if (playing && t >= past.until) t = 0;
      put(bPlay, "text", playing ? "‖ Pause" : "▶ Play"); put(bPlay, "aria-label", playing ? "Pause playing" : "Play");
      root.classList.toggle("km-playing", playing);
      cancelAnimationFrame(raf); raf = 0; last = 0; idle = 0;
      if (playing) raf = requestAnimationFrame(frame); else if (was) draw();
    }
    function frame(now) {
      const dt = last ? Math.min(0.1, (now - last) / 1000) : 0;
      last = now;
      if (calm.matches) { // no motion: from moment to moment, a second each
        idle += dt * speed;
        if (idle >= 1) { idle = 0; seek(past.moments[upto(past.moments, t)] ?? past.until); announce(); }
      } else seek(t + dt * speed * SECOND);
      if (t >= past.until) { play(false); announce(); } else if (playing) raf = requestAnimationFrame(frame);
    }
    function faster(d) {
      speed = SPEEDS[clamp(SPEEDS.indexOf(speed) + d, 0, SPEEDS.length - 1)];
      speeds.value = speed; live.textContent = `speed ${speed} times`;
    }

    // -- drawing
    const draw = () => keepFocus(root, drawAll);
    function drawAll() {
      const st = past.at(t), [, level, a, b] = past.said(t);
      put(tag, "text", MARKS[level] || "●"); put(tag, "class", "km-tag km-" + level); put(head, "text", a); put(second, "text", b || "");
      put(when, "text", `t = ${seconds(t)} s · seed ${past.header.seed}`);
      put(root, "data-level", level); put(root, "data-t", seconds(t, 3));
      range.value = t; put(range, "aria-valuetext", `${seconds(t)} of ${seconds(past.until, 0)} seconds. ${a}`);
      fillBar.style.width = `calc((100% - 18px) * ${(t / past.until).toFixed(5)})`;
      const d = clamp(0.55 * speed, 0.25, 2.5) * SECOND;
      const fly = calm.matches ? past.flying(t, 4000) : past.flying(t, d);
      if (calm.matches) for (const x of [...fly.messages, ...fly.requests]) x.f = 0.5;
      view.draw({ st, t, history: past, fly, sel });
      drawSide(st); drawRates();
    }
    function drawSide(st) {
      const n = past.happened(t), rows = past.rows.slice(Math.max(0, n - 7), n), key = `${n}:${past.rows.length}`, fresh = log.kmKey !== key;
      if (fresh) {
        log.kmKey = key;
        log.replaceChildren(...(rows.length ? rows.map((r, i) => h("li", i === rows.length - 1 ? { class: "km-now", "aria-current": "true" } : {}, h("time", {}, seconds(r.at)), h("span", {}, h("b", {}, r.who), " ", r.words))) : [h("li", {}, h("time", {}, "0.00"), h("span", {}, "Nothing yet. Press Play."))]));
        for (const tr of table.querySelectorAll("tbody tr")) tr.classList.toggle("km-past", +tr.dataset.i < n);
      }
      const [title, ...lines] = describe(sel, st, t, past), list = locked() ? [] : actionsFor(sel, st, past.topology).filter((a) => !(view.heals && a.action === "heal"));
      put(selTitle, "text", title);
      const text = lines.filter(Boolean).join("\n");
      if (selText.kmKey !== text) { selText.kmKey = text; selText.replaceChildren(...lines.filter(Boolean).map((x) => h("p", {}, x))); }
      const sig = JSON.stringify([sel, list, canLive(), locked(), view.state ? view.state(sel, st) : 0]), moved = fresh || acts.kmKey !== sig;
      if (acts.kmKey !== sig) {
        const held = acts.contains(document.activeElement) && document.activeElement.textContent;
        acts.kmKey = sig;
        acts.replaceChildren(...(canLive() ? list.map((a) => button(a.label, () => act(a), { class: "km-b" + (a.main ? " km-main-b" : a.danger ? " km-danger" : ""), "data-action": a.action, title: a.key ? `key: ${a.key}` : a.title })) : []));
        if (held) (([...acts.children].find((x) => x.textContent === held)) || acts.firstElementChild || root).focus();
        const extra = !locked() && canLive() && view.more ? view.more(sel, st) : null;
        if (!more.contains(document.activeElement) || more.kmSel !== sel) { more.kmSel = sel; more.replaceChildren(...(extra ? [extra] : [])); }
        if (locked()) acts.append(h("small", {}, "Lock in your prediction first. Then you can break things."));
        else if (!canLive()) acts.append(h("small", {}, "This copy of the book plays recordings only: it was built without the simulator for the browser."));
        else if (kernel() === "recording" && list.length) acts.append(h("small", {}, "The first action loads the simulator into this page, once."));
      }
      if (moved) { log.classList.toggle("km-more-above", log.scrollHeight > log.clientHeight + 1); log.scrollTop = log.scrollHeight; } // the newest stays in sight
    }
    /** The strips: one row a series; a bucket's column is its share of ok, failed, unknown. */
    function drawStrips() {
      const { bucket, series } = past.run.strip || { bucket: 1, series: [] }, n = past.until / (bucket || 1);
      strips.replaceChildren(...series.map((row) => {
        const g = s("svg", { viewBox: `0 0 ${n} 12`, preserveAspectRatio: "none", "aria-hidden": "true" }), flags = [];
        row.ok.forEach((ok, i) => {
          const f = row.failed[i] || 0, u = row.unknown[i] || 0, all = ok + f + u;
          if (!all) return;
          let y = 12;
          for (const [what, k] of [["ok", ok], ["unknown", u], ["failed", f]]) if (k) { const hgt = Math.max(3, (12 * k) / all); y -= hgt; g.append(s("rect", { class: "km-s-" + what, x: i, y: Math.max(0, y), width: Math.min(1, n - i) * 0.94, height: hgt })); }
          const flag = f ? "failed" : u ? "unknown" : null, prev = flags[flags.length - 1];
          if (flag && prev && prev.flag === flag && prev.to >= i - 2) prev.to = i; else if (flag) flags.push({ flag, from: i, to: i });
        });
        const rate = h("b", {});
        const lane = h("div", { class: "km-strip" + (flags.length ? " km-flagged" : "") }, h("span", { class: "km-strip-name" }, row.name, " ", rate), h("div", { class: "km-strip-lane" }, g,
          flags.filter((f, i) => i === 0 || (100 * (f.from - flags[i - 1].to)) / n > 4).map((f) => h("i", { class: "km-flag km-flag-" + f.flag, "aria-hidden": "true", style: `left:${(100 * (f.from + f.to + 1)) / 2 / n}%` }, MARKS[f.flag]))));
        lane.kmRate = { rate, row, bucket }; return lane;
      }));
    }
    function drawRates() {
      for (const lane of strips.children) {
        const { rate, row, bucket } = lane.kmRate, i = Math.min(row.ok.length - 1, Math.floor(t / bucket));
        let j = i; while (j > 0 && !(row.ok[j] + row.failed[j] + row.unknown[j])) j--;
        const all = row.ok[j] + row.failed[j] + row.unknown[j];
        put(rate, "text", all ? Math.round((100 * row.ok[j]) / all) + " %" : "–");
      }
    }
    const words = (c) => `${c.by === "you" ? "you: " : ""}${c.action.replace(/_/g, " ")} ${c.action === "cut" ? c.args[0] : c.args.filter((x) => String(x).length < 24).join(" ")}`.trim();
    function drawMarks() {
      const room = marks.clientWidth || 600, end = past.until / SECOND, kids = [];
      const nice = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 43200, 86400].find((x) => (room * x) / end >= 72) || end;
      for (let x = 0; x <= end + 1e-9; x += nice) kids.push(h("span", { class: "km-tick", style: `left:${(100 * x) / end}%` }, nice >= 60 && nice % 60 === 0 ? x / 60 + " min" : x + " s"));
      const xs = past.commands.map((c) => (room * c.at) / past.until);
      let edge = 0; // right end of what is written so far
      past.commands.forEach((c, i) => {
        const x = xs[i], text = words(c), w = width(text, 11.5) + 12, next = xs[i + 1] === undefined ? room + 8 : xs[i + 1] - 6, style = `left:${(100 * c.at) / past.until}%`;
        kids.push(h("i", { class: "km-mark km-by-" + c.by, style, title: `${seconds(c.at)} s, ${text}` }, c.by === "you" ? "▼" : "▽"));
        const right = x + w < next, left = !right && x - w > edge;
        if (right || left) kids.push(h("span", { class: "km-mark-text" + (left ? " km-left" : ""), style }, text));
        edge = right ? x + w : x + 8;
      });
      marks.replaceChildren(...kids);
    }

    // -- selecting and acting
    function select(to, focus) { sel = to; acts.kmKey = null; draw(); if (focus) live.textContent = describe(sel, past.at(t), t, past).filter(Boolean).join(". "); }
    function act(...deeds) {
      if (locked()) return ask4prediction();
      const at = Math.ceil(t / 1000) / 1000, mine = past.header.commands || [], kept = mine.filter((c) => instant(c[0]) <= at * SECOND);
      if (!canLive()) return say("This copy of the book plays recordings only.");
      ask({ commands: [...kept, ...deeds.map((d) => [at, d.action, ...d.args])] }, { at: Math.round(at * SECOND), dropped: mine.length - kept.length });
    }
    /** Ask the simulator for the run with other commands or another seed; the answer arrives as a new `run`. */
    function ask(change, then = {}) {
      const H = past.header;
      const spec = { scenario: H.source || H.scenario, seed: H.seed, commands: H.commands || [], ...(H.params ? { params: H.params } : {}), until: Math.max(past.until / SECOND, Math.ceil((then.at || 0) / SECOND + 15)), ...change };
      asked = { spec, then, was: past.run, resume: playing };
      play(false); trouble.hidden = true; root.dataset.busy = "1";
      if (kernel() === "recording") { queued = asked; say("Starting the simulator in this page…"); model.send({ op: "golive" }); } else send();
    }
    function send() {
      queued = null; say("Simulating…");
      clearTimeout(watchdog); watchdog = setTimeout(() => fail("The simulation has not answered for 30 seconds: it may be running away."), 30000);
      model.send({ op: "simulate", id: ++ids, spec: asked.spec });
    }
    function fail(text) {
      clearTimeout(watchdog); delete root.dataset.busy; say("");
      const again = asked;
      trouble.replaceChildren(h("p", {}, text), again ? button("Start again", () => { trouble.hidden = true; root.dataset.busy = "1"; asked = again; queued = null; if (kernel() === "recording") { queued = asked; say("Starting the simulator again…"); model.send({ op: "golive" }); } else send(); }, { class: "km-b km-main-b" }) : null,
        button("Back to the recording", () => { trouble.hidden = true; asked = queued = null; seed.value = past.header.seed; reset(); }));
      trouble.hidden = false;
      seed.value = past.header.seed;
    }
    function newSeed() {
      const v = Math.round(+seed.value);
      if (!canLive()) { seed.value = past.header.seed; return say("This copy of the book plays recordings only."); }
      if (Number.isFinite(v) && v >= 0 && seed.value !== "" && v !== past.header.seed) ask({ seed: v }); else seed.value = past.header.seed;
    }
    function setRun(run, at) { model.set("run", run); if (at != null) seek(at); if (kernel() === "jupyter") model.save_changes(); }
    function back() { const old = undo.pop(); if (!old) return; asked = null; setRun(old.run, old.t); say("Taken back."); }
    function reset() { undo = []; asked = null; if (past.run !== base) { setRun(base, Math.min(t, base.header.until)); say("Back to the recording."); } else { go(0); say("This is the recording."); } }

    // -- model events
    function onRun() {
      const run = model.get("run");
      if (!run || !run.header) return say("There is no recording here.");
      clearTimeout(watchdog); delete root.dataset.busy; trouble.hidden = true;
      const mine = asked; asked = null;
      past = new History(run);
      base ||= run;
      if (mine) undo.push({ run: mine.was, t });
      if (!mine) { speed = options.speed || SPEEDS.find((v) => v >= 1 && past.until / v <= 40 * SECOND) || 16; speeds.value = speed; }
      range.max = past.until; seed.value = run.header.seed; seed.defaultValue = run.header.seed;
      if (Number.isNaN(t)) t = Math.max(0, ((past.commands[0] || { at: 0 }).at) - 2 * SECOND); // all is well, and soon something breaks
      shape = ""; layout();
      if (!sel || !view.has(sel)) sel = view.first(past);
      drawStrips(); drawMarks(); buildTable();
      bUndo.hidden = !undo.length; bReset.hidden = !(undo.length || (run.header.commands || []).length || past.run !== base);
      const to = mine && mine.then.at != null ? mine.then.at : Math.min(t, past.until);
      say("");
      if (mine && mine.then.dropped) say(`You acted in the past: ${plural(mine.then.dropped, "later action was", "later actions were")} dropped. Undo brings ${mine.then.dropped === 1 ? "it" : "them"} back.`);
      else if (mine && mine.spec.seed !== mine.was.header.seed) say(`Seed ${mine.spec.seed}: other delays and timeouts, the same rules.`);
      seek(to); announce();
      if (mine && mine.resume) play(true);
    }
    function onKernel() {
      const k = kernel();
      put(root, "data-kernel", k);
      bLive.hidden = k !== "recording" || options.live === false; bLink.hidden = k === "jupyter";
      acts.kmKey = null;
      if (k === "pyodide") say("The simulator runs in this page. Select a component and break it.");
      if (k !== "recording" && queued) send();
      if (past) draw();
    }
    const onMsg = (m) => { if (m.op === "status") say(m.text); else if (m.op === "trace") { if (asked) onRun(); } else if (m.op === "error") fail(m.error || "The simulation failed."); };
    const onCap = () => { root.querySelector(".km-cap").textContent = model.get("caption") || ""; };

    // -- table, help
    function buildTable() {
      table.replaceChildren(h("table", {}, h("caption", {}, `${past.header.title || past.header.scenario}, seed ${past.header.seed}`),
        h("thead", {}, h("tr", {}, ["seconds", "who", "what"].map((x) => h("th", { scope: "col" }, x)))),
        h("tbody", {}, past.rows.map((r, i) => h("tr", { "data-i": i }, h("td", {}, seconds(r.at, 3)), h("td", {}, r.who), h("td", {}, r.words))))));
      log.kmKey = null;
    }
    function toggle(box, b) { box.hidden = !box.hidden; b.setAttribute("aria-expanded", String(!box.hidden)); return !box.hidden; }
    const showTable = () => { if (toggle(table, bTable)) table.focus(); };
    const showHelp = () => toggle(help, bHelp);

    // -- prediction: stays on this device
    const ask4prediction = () => { live.textContent = "Lock in your prediction first."; say("Lock in your prediction first: choose an answer, say how sure you are."); const r = gate.querySelector("input"); if (r) r.focus(); };
    const predictKey = () => `predict.${options.id || (base && base.header.scenario)}.${(options.predict || {}).question || ""}`.slice(0, 160);
    let prediction = options.predict ? storage.get(predictKey()) : null;
    function drawGate() {
      const P = options.predict;
      gate.hidden = !P;
      root.classList.toggle("km-locked", locked());
      for (const b of [bPlay, bBack, bNext, range]) b.disabled = locked();
      if (!P) return;
      if (prediction) { gate.replaceChildren(h("p", { class: "km-said" }, `You said “${prediction.choice}” at ${prediction.confidence} %. Play to see what happens.`)); return; }
      const choices = [...P.choices, ...(P.choices.some((c) => /don.t know/i.test(c)) ? [] : ["I don't know"])];
      const sure = h("output", {}, "70 %"), slider = h("input", { type: "range", min: 0, max: 100, step: 5, value: 70, id: uid + "sure", oninput: () => { sure.textContent = slider.value + " %"; } });
      const hint = h("span", { class: "km-hint", role: "status" });
      gate.replaceChildren(h("form", { onsubmit: (ev) => {
        ev.preventDefault();
        const pick = gate.querySelector("input[type=radio]:checked");
        if (!pick) { hint.textContent = "Choose an answer first."; gate.querySelector("input").focus(); return; }
        prediction = { choice: choices[+pick.value], index: +pick.value, confidence: +slider.value };
        storage.set(predictKey(), prediction);
        acts.kmKey = null; say(""); drawGate(); draw(); bPlay.focus();
      } }, h("fieldset", {}, h("legend", {}, P.question), choices.map((c, i) => h("label", { class: "km-choice" }, h("input", { type: "radio", name: uid + "p", value: i }), h("span", {}, c)))),
      h("div", { class: "km-sure" }, h("label", { for: uid + "sure" }, "How sure are you?"), slider, sure, h("button", { type: "submit", class: "km-b km-main-b" }, "Lock in"), hint)));
    }
    let revealed = false;
    function reveal() {
      const P = options.predict;
      if (!P || !prediction || revealed) return;
      revealed = true;
      const answer = typeof P.answer === "number" ? P.choices[P.answer] : P.answer, right = answer != null && prediction.choice === answer;
      gate.replaceChildren(h("p", { class: "km-said" }, h("b", {}, `${answer == null ? "" : right ? "✓ " : "✕ "}You said “${prediction.choice}” at ${prediction.confidence} %; here is what happened. `), answer != null && !right ? `${String(answer).replace(/\.$/, "")}. ` : "", P.explain || ""));
    }

    // -- keys, size
    function onKey(ev) {
      const el2 = ev.target, tagName = el2.tagName;
      if (ev.defaultPrevented || ev.ctrlKey || ev.metaKey || ev.altKey || tagName === "SELECT" || (tagName === "INPUT" && el2 !== range && ev.key !== "Escape")) return;
      const press = tagName === "BUTTON" || el2.getAttribute("role") === "button";
      const on = (key) => { const a = !locked() && actionsFor(sel, past.at(t), past.topology).find((x) => x.key === key); if (a) act(a); else say(locked() ? "Lock in your prediction first." : "That cannot be done to what is selected."); };
      const keys = { " ": () => (press ? false : play(!playing)), k: () => play(!playing), ArrowLeft: () => stepBy(-1), ArrowRight: () => stepBy(1), Home: () => (locked() ? ask4prediction() : go(0)), End: () => (locked() ? ask4prediction() : go(past.until)),
        "[": () => faster(-1), "]": () => faster(1), c: () => on("c"), p: () => on("p"), "?": showHelp, Escape: () => { if (view.giveUp && view.giveUp()) return true; if (help.hidden) return false; showHelp(); bHelp.focus(); return true; } };
      for (const [key, , run] of view.keys || []) keys[key] = run;
      const f = keys[ev.key];
      if (f && (table.contains(el2) ? !/^(Home|End)$/.test(ev.key) : true) && f() !== false) ev.preventDefault();
    }
    root.addEventListener("keydown", onKey);
    keepKeys(root);
    /** Who stands where; the same order for the eye and for Tab. Thin: picture, question, time, details. */
    function arrange(form) {
      const under = view.under || [];
      if (form === "thin") { body.after(gate); bar.after(side); side.append(...under); return; }
      body.append(side); side.prepend(gate);
      if (form === "roomy") pic.append(...under); else frameBox.after(...under);
    }
    function layout() {
      if (!past) return;
      const w = root.clientWidth || 900;
      const form = w < 860 ? "thin" : window.innerHeight < ROOMY ? "wide" : "roomy";
      narrow = w < 620;
      root.classList.toggle("km-phone", narrow); root.classList.toggle("km-thin", form === "thin");
      if (placed !== form) arrange((placed = form));
      const key = `${narrow}`;
      if (key !== shape) { shape = key; view.setRun(past, narrow); }
    }
    const watch = window.ResizeObserver ? new ResizeObserver(() => { const was = shape; layout(); if (past) drawMarks(); if (was !== shape) draw(); }) : null;
    const onMotion = () => past && draw();
    const events = [["change:run", onRun], ["change:kernel", onKernel], ["change:caption", onCap], ["msg:custom", onMsg]];
    for (const [what, f] of events) model.on(what, f);
    if (calm.addEventListener) calm.addEventListener("change", onMotion);
    t = Math.round((options.t0 ?? NaN) * SECOND);
    play(false); onRun(); onKernel(); onCap(); drawGate();
    say("");
    if (watch) watch.observe(root);
    return () => {
      play(false); clearTimeout(watchdog); if (watch) watch.disconnect();
      for (const [what, f] of events) model.off(what, f);
      if (calm.removeEventListener) calm.removeEventListener("change", onMotion);
    };
  }

  /** An SVG group that can be chosen by mouse, touch and key: its drawing, and over it the button that carries the name. */
  function choosable(ctl, name, ...kids) {
    const pick = () => ctl.select(name, true), frame = kids.find((k) => /km-(card|chip|pod-c)/.test(k.getAttribute("class") || ""));
    const size = Object.fromEntries(["x", "y", "width", "height", "rx", "cx", "cy", "r"].map((k) => [k, frame.getAttribute(k)]));
    if (size.height && size.height < 32) { size.y -= (32 - size.height) / 2; size.height = 32; } // room for a finger
    const hit = s(frame.tagName, { ...size, class: "km-hit", role: "button", tabindex: "0", "data-name": name, onclick: pick, onkeydown: (ev) => { if (ev.key === "Enter" || ev.key === " ") { ev.preventDefault(); pick(); } } });
    const g = s("g", {}, s("g", { "aria-hidden": "true", class: "km-in" }, ...kids), hit);
    g.hit = hit;
    return g;
  }
  const hatch = (id) => s("defs", {}, s("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("rect", { width: 6, height: 6, class: "km-hatch0" }), s("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "km-hatch1" })));
  /** A point a share *f* along a polyline. */
  function along(pts, f) {
    let total = 0; const len = [];
    for (let i = 1; i < pts.length; i++) total += len[i] = Math.hypot(pts[i][0] - pts[i - 1][0], pts[i][1] - pts[i - 1][1]);
    let rest = clamp(f, 0, 1) * total;
    for (let i = 1; i < pts.length; i++) { if (rest <= len[i] || i === pts.length - 1) { const k = len[i] ? rest / len[i] : 0; return [pts[i - 1][0] + (pts[i][0] - pts[i - 1][0]) * k, pts[i - 1][1] + (pts[i][1] - pts[i - 1][1]) * k]; } rest -= len[i]; }
    return pts[0];
  }
  /** Points on a cubic curve. */
  const curve = (a, b, c, d, n = 18) => Array.from({ length: n + 1 }, (_, i) => { const u = i / n, v = 1 - u; return [0, 1].map((k) => v * v * v * a[k] + 3 * v * v * u * b[k] + 3 * v * u * u * c[k] + u * u * u * d[k]); });
  const path = (pts) => "M" + pts.map((p) => p.map((x) => x.toFixed(1)).join(" ")).join("L");
  /** Outcome marks: ● ok, ✕ failed, ? unknown, small blue dot under way. */
  function dot(x, y, kind, r = 4.5) {
    if (kind === "failed" || kind === "lost") return s("path", { class: "km-x", d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` });
    if (kind === "unknown") return s("g", {}, s("circle", { class: "km-unk", cx: x, cy: y, r: 7 }), s("text", { class: "km-unk-t", x, y: y + 3.8, "text-anchor": "middle" }, "?"));
    return s("circle", { class: "km-dot-" + kind, cx: x, cy: y, r });
  }

  return { keepKeys, SECOND, MARKS, LONG, h, s, put, button, seconds, bytes, plural, clamp, upto, width, fit, kindOf, History, alive, look, meter, base, holds, isCut, cutFrom, offside, apart, quorum, actionsFor, short, widget, choosable, hatch, along, curve, path, dot };
})();

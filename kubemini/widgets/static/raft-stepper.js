// Raft stepper: the members in a ring, each with the dial of its election timer; who votes for whom; how terms end; and
// how long elections take, counted over many of them. Dials, votes and terms are read from the recording.
var render = (() => {
  "use strict";
  const { SECOND, h, s, put, button, seconds, plural, upto, alive, look, isCut, apart, meter, widget, choosable, hatch, along, path, dot } = kmCommon;
  const SAY = { MsgApp: "append", MsgVote: "vote?", MsgPreVote: "would you?", MsgSnap: "snapshot", MsgTimeoutNow: "your turn" };
  const SILENT = 0.15 * SECOND, BIN = 100, CHUNK = 25, MANY = 1000;

  // ---- what the recording says of timers and terms -----------------------------------------------------------
  /** The timers of each member: [at, since, until, timeout], in order. */
  function timersOf(records) {
    const out = {};
    for (const [at, who, what, d] of records) if (what === "timer") (out[who] ||= []).push({ at, ...d });
    return out;
  }
  /** A member's dial at t: what is left of its timeout, and whether it counts down or is wound up again and again. */
  function dial(list, t) {
    const i = upto(list || [], t, (x) => x.at), cur = i && list[i - 1], next = list && list[i];
    if (!cur) return null;
    const since = next && next.since <= t ? next.since : !next && cur.until > t ? cur.until - cur.timeout : t;
    return { left: Math.max(0, since + cur.timeout - t), timeout: cur.timeout, counts: t - since > SILENT };
  }
  /** What became of each term: who stood, who voted for whom, who won. */
  function termsOf(records) {
    const terms = new Map(), of = (n) => { if (!terms.has(n)) terms.set(n, { term: n, from: Infinity, stood: [], votes: [], leader: null, won: Infinity, over: Infinity }); return terms.get(n); };
    for (const [at, who, what, d] of records) {
      if (what === "role" && d.role === "candidate") { const x = of(d.term); x.stood.push({ at, who }); x.from = Math.min(x.from, at); }
      if (what === "role" && d.role === "leader") Object.assign(of(d.term), { leader: who, won: at });
      if (what === "vote") of(d.term).votes.push({ at, from: who, to: d.for });
      if (what === "role" && d.role === "follower") for (const x of terms.values()) if (!x.leader && x.stood.some((c) => c.who === who)) x.over = Math.min(x.over, at);
    }
    const list = [...terms.values()].sort((a, b) => a.term - b.term);
    list.forEach((x, i) => { const later = list[i + 1]; if (!x.leader && later) x.over = Math.min(x.over, later.from); });
    return list;
  }
  /** How long nobody led: from what befell a leader to the next one, in ms. */
  function electionsOf(records, topology) {
    const out = [], home = {};
    for (const host of topology.hosts) for (const c of host.components) home[c] = host.name;
    let lead = null, lost = null;
    for (const [at, who, what, d] of records) {
      if (what === "role" && d.role === "leader") { if (lead && who !== lead) out.push({ at, ms: (at - (lost ?? at)) / 1000 }); else if (lead && lost != null) out.push({ at, ms: (at - lost) / 1000 }); lead = who; lost = null; continue; }
      const hit = (who === lead && (what === "crash" || what === "pause" || what === "role")) || (what === "power_off" && who === home[lead]) || (what === "cut" && (d.a.includes(home[lead]) || d.b.includes(home[lead])) && d.a.length >= 1 && smaller(d, home[lead], topology));
      if (lead && lost == null && hit) lost = at;
    }
    return out;
  }
  const smaller = (d, host, topology) => { const mine = d.a.includes(host) ? d.a : d.b; return mine.length * 2 < topology.hosts.length; };

  // ---- the ring ----------------------------------------------------------------------------------------------
  function geometry(history, narrow) {
    const members = history.topology.etcd || [], n = members.length, W = narrow ? 360 : 700, r = narrow ? 33 : 42, G = { members: {}, W, r };
    const rx = narrow ? 124 : 232, ry = n > 3 ? (narrow ? 150 : 152) : 120, top = r + 22;
    G.H = 2 * ry + 2 * r + 66;
    members.forEach((m, i) => { const a = -Math.PI / 2 + (2 * Math.PI * i) / n; G.members[m] = { x: W / 2 + (n > 1 ? rx : 0) * Math.cos(a), y: top + ry + (n > 1 ? ry : 0) * Math.sin(a) }; });
    G.centre = [W / 2, top + ry + (n === 3 ? 20 : 0)];
    return G;
  }
  /** The straight line between two members, from dial to dial. */
  function between(G, a, b) {
    const A = G.members[a], B = G.members[b], d = Math.hypot(B.x - A.x, B.y - A.y) || 1, k = (G.r + 13) / d;
    return [[A.x + (B.x - A.x) * k, A.y + (B.y - A.y) * k], [B.x - (B.x - A.x) * k, B.y - (B.y - A.y) * k]];
  }
  function arrow([[x, y], [u, v]]) {
    const a = Math.atan2(v - y, u - x), tip = (turn) => `${(u - 9 * Math.cos(a + turn)).toFixed(1)} ${(v - 9 * Math.sin(a + turn)).toFixed(1)}`;
    return `M${x.toFixed(1)} ${y.toFixed(1)}L${u.toFixed(1)} ${v.toFixed(1)}M${tip(0.45)}L${u.toFixed(1)} ${v.toFixed(1)}L${tip(-0.45)}`;
  }

  function make(ctl, model) {
    const options = model.get("options") || {}, settings = options.settings || {};
    const svg = s("svg", { class: "km-svg", role: "group" }), q = meter(), list = h("ol", { class: "km-terms" });
    const chart = histogram(ctl, model, options.elections || []);
    const under = h("div", { class: "km-under" }, h("section", { class: "km-elections" }, h("div", { class: "km-h4" }, "Terms"), list), chart.node);
    let G = null, H = null, ui = null, timers = {}, terms = [];

    function setRun(history, narrow) {
      H = history; G = geometry(history, narrow); timers = timersOf(H.records); terms = termsOf(H.records); ui = { member: {} };
      const hid = "kmr" + Math.random().toString(36).slice(2, 7), held = svg.contains(document.activeElement) && document.activeElement.dataset.name;
      put(svg, "viewBox", `0 0 ${G.W} ${G.H}`); put(svg, "aria-label", `${plural(Object.keys(G.members).length, "member")} in a ring, with their election timers`); svg.style.setProperty("--km-hatch", `url(#${hid})`);
      ui.wires = s("g", { "aria-hidden": "true" }); ui.votes = s("g", { "aria-hidden": "true" }); ui.dots = s("g", { "aria-hidden": "true", class: "km-dots" });
      ui.big = s("text", { class: "km-big", x: G.centre[0], y: G.centre[1], "text-anchor": "middle" }); ui.small = s("text", { class: "km-mute", x: G.centre[0], y: G.centre[1] + 19, "text-anchor": "middle" });
      ui.centre = s("g", { "aria-hidden": "true" }, ui.big, ui.small);
      const cards = s("g", {}, ...Object.entries(G.members).map(([m, at]) => member(m, at)));
      svg.replaceChildren(hatch(hid), ui.wires, ui.votes, ui.centre, cards, ui.dots);
      chart.setRun(H, electionsOf(H.records, H.topology));
      if (held) { const e = svg.querySelector(`[data-name="${CSS.escape(held)}"]`); if (e) e.focus({ preventScroll: true }); }
    }
    function member(m, { x, y }) {
      const ring = { cx: x, cy: y, r: G.r + 8, fill: "none" }, line = (dy, cls) => s("text", { class: cls, x, y: y + dy, "text-anchor": "middle" });
      const u = (ui.member[m] = { rail: s("circle", { ...ring, class: "km-dial-rail" }), arc: s("circle", { ...ring, class: "km-dial", pathLength: 1000, transform: `rotate(-90 ${x} ${y})` }), name: line(-8, "km-h"), term: line(8, "km-mute"), left: line(23, "km-mute"), votes: line(G.r + 25, "km-mute km-votes-t") });
      u.g = choosable(ctl, m, s("circle", { class: "km-pulse", cx: x, cy: y, r: G.r + 2 }), u.rail, u.arc, s("circle", { class: "km-chip", cx: x, cy: y, r: G.r }), u.name, u.term, u.left, u.votes);
      return u.g;
    }

    function draw({ st, t, fly, sel }) {
      q.draw(st, H.topology);
      const now = current(t);
      for (const [m, u] of Object.entries(ui.member)) drawMember(m, u, st, t, sel, now);
      drawCentre(st, t, now); drawWires(st); drawVotes(st, t, now); drawDots(fly); drawTerms(t); chart.draw(t);
    }
    /** The election under way at t, or just over. */
    function current(t) {
      const begun = terms.filter((x) => x.from <= t), x = begun[begun.length - 1];
      return x && t < (x.leader ? x.won + 0.8 * SECOND : x.over + 2 * SECOND) ? x : null;
    }
    const tally = (x, m, t) => x.votes.filter((v) => v.to === m && v.at <= t).length;

    function drawMember(m, u, st, t, sel, now) {
      const e = st.etcd[m], lk = look(st, m), d = lk.cls === "follower" || lk.cls === "candidate" ? dial(timers[m], t) : null;
      if (d && !e.lead) d.counts = true; // nobody winds it up
      put(u.g, "class", `km-pick km-chipg km-k-etcd km-${lk.cls}${sel === m ? " km-sel" : ""}${d && d.counts ? " km-counts" : ""}`);
      put(u.name, "text", `${lk.mark ? lk.mark + " " : ""}${m}`); put(u.term, "text", lk.cls === "down" ? lk.word : `term ${e.term}`);
      put(u.left, "text", d ? `${seconds(d.counts ? d.left : d.timeout, d.counts ? 2 : 1)} s` : lk.cls === "leader" ? "leader" : "");
      put(u.arc, "stroke-dasharray", d ? `${Math.round((1000 * d.left) / d.timeout)} 1000` : "0 1000");
      const stood = now && now.stood.some((c) => c.who === m && c.at <= t), of = Object.keys(st.etcd).length;
      put(u.votes, "text", stood ? `${tally(now, m, t)} of ${of} votes` : apart(st, H.topology, m).length ? "✕ cut off" : "");
      put(u.g.hit, "aria-pressed", String(sel === m));
      put(u.g.hit, "aria-label", `${m}, ${lk.word}, term ${e.term}${d ? (d.counts ? `, stands in ${seconds(d.left, 1)} s` : `, hears the leader; timeout ${seconds(d.timeout, 1)} s`) : ""}${stood ? `, ${tally(now, m, t)} of ${of} votes` : ""}`);
    }
    function drawCentre(st, t, now) {
      const leads = Object.keys(st.etcd).filter((m) => look(st, m).cls === "leader").sort((a, b) => st.etcd[b].term - st.etcd[a].term), lead = leads[0];
      const split = now && !now.leader && t >= now.over && now.stood.length > 1;
      put(ui.centre, "class", split ? "km-split" : "");
      put(ui.big, "text", split ? "split vote" : lead ? `term ${st.etcd[lead].term}` : now && !now.leader && t < now.over ? `term ${now.term}: who?` : "no leader");
      put(ui.small, "text", split ? `term ${now.term} ends with nobody` : lead ? `★ ${lead}` : `${H.topology.quorum} of ${Object.keys(st.etcd).length} votes are needed`);
    }
    function drawWires(st) {
      const hostOf = (m) => (st.comp[m] || {}).host, names = Object.keys(G.members), key = JSON.stringify([st.cuts, names.map((m) => look(st, m).cls)]);
      if (ui.wires.kmKey === key) return;
      ui.wires.kmKey = key;
      ui.wires.replaceChildren(...names.flatMap((a, i) => names.slice(i + 1).flatMap((b) => {
        const cut = isCut(st, hostOf(a), hostOf(b)), lead = [a, b].some((m) => look(st, m).cls === "leader") && alive(st, a) && alive(st, b), pts = between(G, a, b);
        if (!cut && !lead) return [];
        const [x, y] = along(pts, 0.5);
        return [s("path", { class: "km-wire " + (cut ? "km-wire-bad" : "km-wire-lead"), d: path(pts) }), ...(cut ? [s("path", { class: "km-x", d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` })] : [])];
      })));
    }
    function drawVotes(st, t, now) {
      const shown = now ? now.votes.filter((v) => v.at <= t && v.from !== v.to && G.members[v.from] && G.members[v.to]) : [], key = now ? `${now.term}:${shown.length}` : "";
      if (ui.votes.kmKey === key) return;
      ui.votes.kmKey = key;
      ui.votes.replaceChildren(...shown.map((v) => s("path", { class: "km-vote", d: arrow(between(G, v.from, v.to)) })));
    }
    function drawDots(fly) {
      const kids = [], seen = new Set();
      for (const m of fly.messages) {
        if (!G.members[m.from] || !G.members[m.to]) continue;
        const [x, y] = along(between(G, m.from, m.to), m.f), vote = /vote/i.test(m.type), key = m.from + m.type;
        kids.push(m.lost && m.f > 0.45 ? dot(x, y, "lost") : dot(x, y, vote ? "vote" : "msg", 5));
        if (m.f > 0.15 && m.f < 0.85 && SAY[m.type] && !seen.has(key) && seen.size < 4) { seen.add(key); kids.push(s("text", { class: "km-tag-t", x: x + 8, y: y - 6 }, SAY[m.type])); }
      }
      ui.dots.replaceChildren(...kids);
    }
    function drawTerms(t) {
      const rows = terms.filter((x) => Math.min(x.from, x.won) <= t).slice(-5), key = rows.map((x) => [x.term, x.votes.filter((v) => v.at <= t).length, x.won <= t, x.over <= t]).join();
      if (list.kmKey === key && list.kmRun === H) return;
      list.kmKey = key; list.kmRun = H;
      list.replaceChildren(...(rows.length ? rows.map((x) => h("li", {}, h("b", {}, `${x.term}`), h("span", {}, x.stood.filter((c) => c.at <= t).map((c) => `${c.who} ${tally(x, c.who, t)}`).join(" · ")), h("span", {}, x.won <= t ? `★ ${x.leader}` : x.over <= t ? "✕ nobody" : "…"))) : [h("li", {}, h("b"), h("span", {}, "no term yet"))]));
    }

    /** The knobs of the cluster: another value is another run. */
    function more() {
      const now = { ...settings, ...(H.header.params || {}) }, ask = (name, value) => ctl.ask({ params: { ...(H.header.params || {}), [name]: value } });
      const timeout = h("input", { type: "number", min: 100, max: 10000, step: 100, value: parseFloat(now.etcd_election_timeout), onchange: () => { const ms = Math.round(+timeout.value); if (ms >= 100 && ms <= 10000) ask("etcd_election_timeout", `${ms}ms`); else timeout.value = parseFloat(now.etcd_election_timeout); } });
      const far = h("input", { type: "number", min: 0.1, max: 500, step: 10, value: parseFloat((now.network_latency || ["0.3"])[1]), onchange: () => { const ms = +far.value; if (ms >= 0.1 && ms <= 500) ask("network_latency", [`${(ms * 0.67).toFixed(2)}ms`, `${ms}ms`]); } });
      const pre = h("input", { type: "checkbox", checked: !!now.etcd_pre_vote, onchange: () => ask("etcd_pre_vote", pre.checked) });
      return h("div", { class: "km-form" }, h("label", {}, "election timeout, ms", timeout), h("label", {}, "one way, up to ms", far), h("label", { class: "km-check-l" }, pre, " PreVote"));
    }
    const first = (history) => { const c = history.commands.find((x) => G.members[x.args[0]]); return c ? c.args[0] : Object.keys(G.members)[0]; };
    return { node: svg, under: [under], top: [q.node], setRun, draw, more, has: (name) => !!(G && G.members[name]), first };
  }

  // ---- how long elections take -------------------------------------------------------------------------------
  /** A histogram that fills with the elections of this run, of runs before it, and of a thousand more on demand. */
  function histogram(ctl, model, given) {
    const words = h("p", { class: "km-sum" }), svg = s("svg", { class: "km-hist", viewBox: "0 0 340 110", role: "img" }), go = button("", () => toggle());
    const node = h("section", { class: "km-elections" }, h("div", { class: "km-h4" }, "Time without a leader"), svg, words, go);
    const sets = new Map(); // parameters → {times, next seed}
    let H = null, mine = [], busy = false, wanted = 0, ids = 0, last = "", shown = 0;
    const key = () => JSON.stringify((H && H.header.params) || {});
    const set = () => { if (!sets.has(key())) sets.set(key(), { times: key() === "{}" ? given.slice() : [], next: key() === "{}" ? given.length : 0, seen: new Set() }); return sets.get(key()); };

    function setRun(history, elections) {
      const before = H && key();
      H = history; mine = elections;
      if (before !== null && before !== key()) stop();
      last = ""; go.hidden = !ctl.canLive();
    }
    function toggle() { if (busy || wanted) return stop(); wanted = MANY; more(); label(); }
    function stop() { busy = false; wanted = 0; label(); }
    function more() {
      if (wanted <= 0) return stop();
      if (ctl.kernel() === "recording") { model.send({ op: "golive" }); return; }
      busy = true; const x = set(), n = Math.min(CHUNK, wanted);
      wanted -= n;
      model.send({ op: "elections", id: `e${++ids}`, scenario: H.header.source || H.header.scenario, params: H.header.params || {}, seeds: [x.next, x.next + n] });
      x.next += n;
    }
    model.on("change:kernel", () => { if (wanted && !busy) more(); });
    model.on("msg:custom", (m) => {
      if (m.op === "error") stop();
      if (m.op !== "elections" || m.id !== `e${ids}` || !busy) return;
      set().times.push(...m.times); last = ""; draw(); more(); label();
    });
    const label = () => put(go, "text", wanted || busy ? `Stop (${MANY - wanted} of ${MANY})` : "Run 1,000 elections");
    function draw(t = shown) {
      shown = t;
      const x = set(), times = x.times.filter((v) => v != null), run = mine.filter((e) => e.at <= t), sig = `${key()}${times.length}:${run.map((e) => e.ms)}`;
      label();
      if (sig === last) return;
      last = sig;
      const top = Math.max(2500, ...run.map((e) => e.ms), ...times), bins = Math.ceil(top / BIN + 0.001), most = Math.max(1, ...count(times, bins)), wide = 320 / bins;
      const bars = count(times, bins).map((n, i) => n && s("rect", { class: "km-bar-h", x: 10 + i * wide, width: Math.max(1, wide - 1), y: 86 - (74 * n) / most, height: (74 * n) / most }));
      const marks = run.map((e) => { const at = 10 + (e.ms / BIN) * wide, left = at > 270; return s("g", {}, s("path", { class: "km-this", d: `M${at.toFixed(1)} 86v-78` }), s("text", { class: "km-mute", x: at + (left ? -4 : 4), y: 12, "text-anchor": left ? "end" : "start" }, `${Math.round(e.ms)} ms`)); });
      const step = top > 6000 ? 5000 : top > 3000 ? 1000 : 500, ticks = [];
      for (let ms = 0; ms <= top; ms += step) ticks.push(s("text", { class: "km-mute", x: 10 + (ms / BIN) * wide, y: 102, "text-anchor": "middle" }, ms % 1000 ? `${ms / 1000}` : `${ms / 1000} s`));
      svg.replaceChildren(s("path", { class: "km-axis", d: "M10 86H330" }), ...bars.filter(Boolean), ...marks, ...ticks);
      const sorted = times.slice().sort((a, b) => a - b), at = (p) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]);
      put(words, "text", (sorted.length ? `${sorted.length} elections: half within ${at(0.5)} ms, 99 of 100 within ${at(0.99)} ms. ` : "") + (run.length ? "Dashed: this run." : ""));
      put(svg, "aria-label", words.textContent || "no election counted yet");
    }
    const count = (times, bins) => { const out = new Array(bins).fill(0); for (const v of times) out[Math.min(bins - 1, Math.floor(v / BIN))]++; return out; };
    return { node, setRun, draw };
  }
  return ({ model, el }) => widget({ model, el, name: "raft-stepper", label: "Raft stepper", make: (ctl) => make(ctl, model) });
})();
export default { render };

// Raft stepper: the members in a ring, each with the dial of its election timer; who votes for whom; how terms end; and
// how long elections take, counted over many of them. Dials, votes and terms are read from the recording.
import { along, canvas, choosable, cross, dot, labelled, meter, path } from "../draw.js";
import { alive, apart, isCut, look } from "../facts.js";
import { widget } from "../frame/frame.js";
import { SECOND, h, plural, put, s, seconds } from "../kit.js";
import { Histogram } from "../stepper/histogram.js";
import { dial, electionsOf, termsOf, timersOf } from "../stepper/terms.js";

const SAY = {
  MsgApp: "append",
  MsgVote: "vote?",
  MsgPreVote: "would you?",
  MsgSnap: "snapshot",
  MsgTimeoutNow: "your turn",
};
const WON = 0.8 * SECOND,
  LOST = 2 * SECOND; // for so long an election that is over is shown
const hostOf = (st, m) => (st.programs[m] || {}).host;
const tally = (x, m, t) => x.votes.filter((v) => v.to === m && v.at <= t).length;

class RaftStepper {
  constructor(ctl, model) {
    const options = model.get("options") || {};
    this.ctl = ctl;
    this.settings = options.settings || {};
    this.meter = meter();
    this.node = s("svg", { class: "km-svg", role: "group" });
    this.list = h("ol", { class: "km-terms" });
    this.chart = new Histogram(ctl, model, options.elections || []);
    const terms = h(
      "section",
      { class: "km-elections" },
      h("div", { class: "km-h4" }, "Terms"),
      this.list,
    );
    this.under = [h("div", { class: "km-under" }, terms, this.chart.node)];
    this.top = [this.meter.node];
  }

  has(name) {
    return !!(this.places && this.places.members[name]);
  }

  first(history) {
    const named = history.commands.find((x) => this.has(x.args[0]));
    return named ? named.args[0] : Object.keys(this.places.members)[0];
  }

  // -- the elements, once a run
  setRun(history, narrow) {
    this.history = history;
    this.places = ring(history, narrow);
    this.timers = timersOf(history.records);
    this.terms = termsOf(history.records);
    this.member = {};
    const {
        members,
        W,
        H,
        centre: [x, y],
      } = this.places,
      layer = (cls) => s("g", { "aria-hidden": "true", class: cls });
    const layers = canvas(
      this.node,
      W,
      H,
      `${plural(Object.keys(members).length, "member")} in a ring, with their election timers`,
    );
    Object.assign(this, { wires: layer(), votes: layer(), dots: layer("km-dots") });
    this.big = s("text", { class: "km-big", x, y, "text-anchor": "middle" });
    this.small = s("text", { class: "km-mute", x, y: y + 19, "text-anchor": "middle" });
    this.centre = s("g", { "aria-hidden": "true" }, this.big, this.small);
    const cards = s("g", {}, ...Object.entries(members).map(([m, at]) => this.card(m, at)));
    layers(this.wires, this.votes, this.centre, cards, this.dots);
    this.chart.setRun(history, electionsOf(history.records, history.topology));
  }

  card(m, { x, y }) {
    const { r } = this.places,
      around = { cx: x, cy: y, r: r + 8, fill: "none" };
    const line = (dy, cls) => s("text", { class: cls, x, y: y + dy, "text-anchor": "middle" });
    const u = (this.member[m] = {
      name: line(-8, "km-h"),
      term: line(8, "km-mute"),
      left: line(23, "km-mute"),
    });
    u.votes = line(r + 25, "km-mute km-votes-t");
    u.rail = s("circle", { ...around, class: "km-dial-rail" });
    u.arc = s("circle", {
      ...around,
      class: "km-dial",
      pathLength: 1000,
      transform: `rotate(-90 ${x} ${y})`,
    });
    const halo = s("circle", { class: "km-pulse", cx: x, cy: y, r: r + 2 }),
      chip = s("circle", { class: "km-chip", cx: x, cy: y, r });
    u.g = choosable(this.ctl, m, halo, u.rail, u.arc, chip, u.name, u.term, u.left, u.votes);
    return u.g;
  }

  // -- a moment
  draw({ st, t, fly, sel }) {
    const now = this.current(t);
    this.meter.draw(st);
    for (const [m, u] of Object.entries(this.member)) this.drawMember(m, u, st, t, sel, now);
    this.drawCentre(st, t, now);
    this.drawWires(st);
    this.drawVotes(t, now);
    this.drawDots(fly);
    this.drawTerms(t);
    this.chart.draw(t);
  }

  /** The election under way at t, or just over. */
  current(t) {
    const x = this.terms.filter((one) => one.from <= t).pop();
    return x && t < (x.leader ? x.won + WON : x.over + LOST) ? x : null;
  }

  drawMember(m, u, st, t, sel, now) {
    const e = st.members[m],
      lk = look(st, m),
      d = lk.cls === "follower" || lk.cls === "candidate" ? dial(this.timers[m], t) : null;
    if (d && !e.lead) d.counts = true; // nobody winds it up
    put(
      u.g,
      "class",
      `km-pick km-chipg km-k-etcd km-${lk.cls}${sel === m ? " km-sel" : ""}${d && d.counts ? " km-counts" : ""}`,
    );
    put(u.name, "text", `${lk.mark ? lk.mark + " " : ""}${m}`);
    put(u.term, "text", lk.cls === "down" ? lk.word : `term ${e.term}`);
    put(
      u.left,
      "text",
      d
        ? `${seconds(d.counts ? d.left : d.timeout, d.counts ? 2 : 1)} s`
        : lk.cls === "leader"
          ? "leader"
          : "",
    );
    put(
      u.arc,
      "stroke-dasharray",
      d ? `${Math.round((1000 * d.left) / d.timeout)} 1000` : "0 1000",
    );
    const stood = now && now.stood.some((c) => c.who === m && c.at <= t),
      of = Object.keys(st.members).length;
    const votes = stood ? `${tally(now, m, t)} of ${of} votes` : "",
      timer =
        d &&
        (d.counts
          ? `stands in ${seconds(d.left, 1)} s`
          : `hears the leader; timeout ${seconds(d.timeout, 1)} s`);
    put(u.votes, "text", votes || (apart(st, m).length ? "✕ cut off" : ""));
    labelled(
      u.g,
      sel === m,
      [m, lk.word, `term ${e.term}`, timer, votes].filter(Boolean).join(", "),
    );
  }

  drawCentre(st, t, now) {
    const leads = Object.keys(st.members).filter((m) => look(st, m).cls === "leader");
    const lead = leads.sort((a, b) => st.members[b].term - st.members[a].term)[0];
    const split = now && !now.leader && t >= now.over && now.stood.length > 1,
      open = now && !now.leader && t < now.over;
    put(this.centre, "class", split ? "km-split" : "");
    put(
      this.big,
      "text",
      split
        ? "split vote"
        : lead
          ? `term ${st.members[lead].term}`
          : open
            ? `term ${now.term}: who?`
            : "no leader",
    );
    const needed = `${this.history.topology.quorum} of ${Object.keys(st.members).length} votes are needed`;
    put(
      this.small,
      "text",
      split ? `term ${now.term} ends with nobody` : lead ? `★ ${lead}` : needed,
    );
  }

  drawWires(st) {
    const names = Object.keys(this.places.members),
      looks = names.map((m) => look(st, m).cls),
      key = JSON.stringify([st.cuts, looks]);
    if (this.wires.kmKey === key) return;
    this.wires.kmKey = key;
    const leads = (m) => look(st, m).cls === "leader";
    const wire = (a, b) => {
      const cut = isCut(st, hostOf(st, a), hostOf(st, b)),
        lead = (leads(a) || leads(b)) && alive(st, a) && alive(st, b),
        pts = between(this.places, a, b);
      const line = () =>
        s("path", { class: "km-wire " + (cut ? "km-wire-bad" : "km-wire-lead"), d: path(pts) });
      return [
        ...(cut || lead ? [line()] : []),
        ...(cut ? [s("path", { class: "km-x", d: cross(true, along(pts, 0.5)) })] : []),
      ];
    };
    this.wires.replaceChildren(
      ...names.flatMap((a, i) => names.slice(i + 1).flatMap((b) => wire(a, b))),
    );
  }

  drawVotes(t, now) {
    const here = (v) => v.at <= t && v.from !== v.to && this.has(v.from) && this.has(v.to),
      shown = now ? now.votes.filter(here) : [];
    const key = now ? `${now.term}:${shown.length}` : "";
    if (this.votes.kmKey === key) return;
    this.votes.kmKey = key;
    this.votes.replaceChildren(
      ...shown.map((v) =>
        s("path", { class: "km-vote", d: arrow(between(this.places, v.from, v.to)) }),
      ),
    );
  }

  drawDots(fly) {
    const kids = [],
      seen = new Set();
    for (const m of fly.messages) {
      if (!this.has(m.from) || !this.has(m.to)) continue;
      const [x, y] = along(between(this.places, m.from, m.to), m.f),
        key = m.from + m.type;
      kids.push(
        m.lost && m.f > 0.45
          ? dot(x, y, "lost")
          : dot(x, y, /vote/i.test(m.type) ? "vote" : "msg", 5),
      );
      if (m.f <= 0.15 || m.f >= 0.85 || !SAY[m.type] || seen.has(key) || seen.size >= 4) continue;
      seen.add(key);
      kids.push(s("text", { class: "km-tag-t", x: x + 8, y: y - 6 }, SAY[m.type]));
    }
    this.dots.replaceChildren(...kids);
  }

  drawTerms(t) {
    const { list, history } = this,
      rows = this.terms.filter((x) => Math.min(x.from, x.won) <= t).slice(-5);
    const key = rows
      .map((x) => [x.term, x.votes.filter((v) => v.at <= t).length, x.won <= t, x.over <= t])
      .join();
    if (list.kmKey === key && list.kmRun === history) return;
    Object.assign(list, { kmKey: key, kmRun: history });
    const stood = (x) =>
      x.stood
        .filter((c) => c.at <= t)
        .map((c) => `${c.who} ${tally(x, c.who, t)}`)
        .join(" · ");
    const end = (x) => (x.won <= t ? `★ ${x.leader}` : x.over <= t ? "✕ nobody" : "…");
    const row = (x) =>
      h("li", {}, h("b", {}, `${x.term}`), h("span", {}, stood(x)), h("span", {}, end(x)));
    list.replaceChildren(
      ...(rows.length ? rows.map(row) : [h("li", {}, h("b"), h("span", {}, "no term yet"))]),
    );
  }

  /** The knobs of the cluster: another value is another run. */
  more() {
    const params = this.history.header.params || {},
      now = { ...this.settings, ...params };
    const ask = (name, value) => this.ctl.ask({ params: { ...params, [name]: value } }),
      was = parseFloat(now.etcd_election_timeout);
    const number = (min, max, step, value, turned) => {
      const input = h("input", {
        type: "number",
        min,
        max,
        step,
        value,
        onchange: () => {
          if (+input.value >= min && +input.value <= max) turned(+input.value);
          else input.value = value;
        },
      });
      return input;
    };
    const timeout = number(100, 10000, 100, was, (ms) =>
      ask("etcd_election_timeout", `${Math.round(ms)}ms`),
    );
    const most = parseFloat((now.network_latency || ["", "0.3"])[1]);
    const far = number(0.1, 500, 10, most, (ms) =>
      ask("network_latency", [`${(ms * 0.67).toFixed(2)}ms`, `${ms}ms`]),
    );
    const pre = h("input", {
      type: "checkbox",
      checked: !!now.etcd_pre_vote,
      onchange: () => ask("etcd_pre_vote", pre.checked),
    });
    return h(
      "div",
      { class: "km-form" },
      h("label", {}, "election timeout, ms", timeout),
      h("label", {}, "one way, up to ms", far),
      h("label", { class: "km-check-l" }, pre, " PreVote"),
    );
  }
}

/** Where the members stand. */
function ring(history, narrow) {
  const members = history.topology.etcd || [],
    n = members.length,
    W = narrow ? 360 : 700,
    r = narrow ? 33 : 42,
    places = { members: {}, W, r };
  const rx = n > 1 ? (narrow ? 124 : 232) : 0,
    ry = n > 3 ? (narrow ? 150 : 152) : 120,
    top = r + 22;
  members.forEach((m, i) => {
    const a = -Math.PI / 2 + (2 * Math.PI * i) / n;
    places.members[m] = {
      x: W / 2 + rx * Math.cos(a),
      y: top + ry + (n > 1 ? ry : 0) * Math.sin(a),
    };
  });
  return Object.assign(places, {
    H: 2 * ry + 2 * r + 66,
    centre: [W / 2, top + ry + (n === 3 ? 20 : 0)],
  });
}

/** The straight line between two members, from dial to dial. */
function between(places, a, b) {
  const A = places.members[a],
    B = places.members[b],
    k = (places.r + 13) / (Math.hypot(B.x - A.x, B.y - A.y) || 1);
  return [
    [A.x + (B.x - A.x) * k, A.y + (B.y - A.y) * k],
    [B.x - (B.x - A.x) * k, B.y - (B.y - A.y) * k],
  ];
}

function arrow([[x, y], [u, v]]) {
  const a = Math.atan2(v - y, u - x),
    at = (p, q) => `${p.toFixed(1)} ${q.toFixed(1)}`,
    tip = (turn) => at(u - 9 * Math.cos(a + turn), v - 9 * Math.sin(a + turn));
  return `M${at(x, y)}L${at(u, v)}M${tip(0.45)}L${at(u, v)}L${tip(-0.45)}`;
}

const render = ({ model, el }) =>
  widget({
    model,
    el,
    name: "raft-stepper",
    label: "Raft stepper",
    make: (ctl) => new RaftStepper(ctl, model),
  });
export default { render };

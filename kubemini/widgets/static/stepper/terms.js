// What a recording says of election timers, of terms and how they ended, and of times without a leader: pure.
import { SECOND, upto } from "../kit.js";

const SILENT = 0.15 * SECOND; // a timer that is not wound up for so long counts down

/** The timers of each member: {at, since, until, timeout}, in order. */
export function timersOf(records) {
  const out = {};
  for (const [at, who, what, d] of records)
    if (what === "timer") (out[who] ||= []).push({ at, ...d });
  return out;
}

/** A member's dial at t: what is left of its timeout, and whether it counts down or is wound up again and again. */
export function dial(list, t) {
  const i = upto(list || [], t, (x) => x.at),
    cur = i && list[i - 1],
    next = list && list[i];
  if (!cur) return null;
  const since =
    next && next.since <= t ? next.since : !next && cur.until > t ? cur.until - cur.timeout : t;
  return {
    left: Math.max(0, since + cur.timeout - t),
    timeout: cur.timeout,
    counts: t - since > SILENT,
  };
}

/** What became of each term: who stood, who voted for whom, who won. */
export function termsOf(records) {
  const terms = new Map();
  const of = (n) => {
    if (!terms.has(n))
      terms.set(n, {
        term: n,
        from: Infinity,
        stood: [],
        votes: [],
        leader: null,
        won: Infinity,
        over: Infinity,
      });
    return terms.get(n);
  };
  for (const [at, who, what, d] of records) {
    if (what === "vote") of(d.term).votes.push({ at, from: who, to: d.for });
    if (what === "role") changed(of, terms, at, who, d);
  }
  const list = [...terms.values()].sort((a, b) => a.term - b.term);
  list.forEach((x, i) => {
    if (!x.leader && list[i + 1]) x.over = Math.min(x.over, list[i + 1].from);
  });
  return list;
}

function changed(of, terms, at, who, d) {
  if (d.role === "candidate") {
    const x = of(d.term);
    x.stood.push({ at, who });
    x.from = Math.min(x.from, at);
  }
  if (d.role === "leader") Object.assign(of(d.term), { leader: who, won: at });
  if (d.role !== "follower") return;
  for (const x of terms.values())
    if (!x.leader && x.stood.some((c) => c.who === who)) x.over = Math.min(x.over, at);
}

/** How long nobody led: from what befell a leader to the next one: [{at, ms}]. */
export function electionsOf(records, topology) {
  const out = [],
    home = {};
  for (const host of topology.hosts) for (const c of host.components) home[c] = host.name;
  let lead = null,
    lost = null;
  for (const [at, who, what, d] of records) {
    if (what === "role" && d.role === "leader") {
      if (lead && (who !== lead || lost != null)) out.push({ at, ms: (at - (lost ?? at)) / 1000 });
      [lead, lost] = [who, null];
    } else if (lead && lost == null && befalls(lead, home[lead], topology, who, what, d)) lost = at;
  }
  return out;
}

/** Whether a record takes the leader away. */
function befalls(lead, host, topology, who, what, d) {
  if (what === "crash" || what === "pause" || what === "role") return who === lead;
  if (what === "power_off") return who === host;
  if (what !== "cut" || !(d.a.includes(host) || d.b.includes(host))) return false;
  return (d.a.includes(host) ? d.a : d.b).length * 2 < topology.hosts.length;
}

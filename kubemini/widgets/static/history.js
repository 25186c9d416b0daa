// A recording made fast to scrub: its records as rows, key frames, moments, what is under way.
import { blank, fold } from "./fold.js";
import { kindOf } from "./facts.js";
import { SECOND, instant, upto } from "./kit.js";

/** The records of a recording, which stands there in columns (view/columns.py), as rows [at, who, what, detail] again. */
export function unpacked({ names, at, who, what, fields }) {
  const last = {},
    next = {};
  let t = 0;
  return at.map((dt, i) => {
    const w = names[who[i]],
      k = names[what[i]],
      n = (next[k] = (next[k] ?? -1) + 1),
      d = {};
    t += dt;
    for (const [f, column] of Object.entries(fields[k])) {
      const v = column[n],
        key = w + k + f;
      d[f] =
        v == null
          ? null
          : /^(started|arrives|since|until)$/.test(f)
            ? v + t
            : /^(index|revision)$/.test(f)
              ? (last[key] = (last[key] || 0) + v)
              : v;
    }
    return [t, w, k, d];
  });
}

/** A run made fast to scrub: key frames, moments, flights. */
export class History {
  constructor(run) {
    this.run = run;
    this.header = run.header;
    this.records = unpacked(run.records);
    this.until = run.header.until;
    this.topology = run.header.topology;
    this.frames = [];
    this.messages = [];
    this.requests = [];
    const st = blank(this.topology);
    let flight = 0;
    this.records.forEach((r, i) => {
      if (i % 400 === 0) this.frames.push(JSON.stringify({ ...st, i }));
      fold(st, r);
      if (r[2] === "message") this.messages.push({ at: r[0], from: r[1], ...r[3] });
      if (r[2] === "request") {
        this.requests.push({ at: r[0], from: r[1], ...r[3] });
        flight = Math.max(flight, r[0] - r[3].started);
      }
    });
    this.flight = flight;
    this.behind();
    this.ended = this.requests.slice();
    this.unanswered();
    this.requests.sort((a, b) => a.started - b.started);
    this.commands = [
      ...(run.header.scenario_commands || []).map((c) => ({ c, by: "scenario" })),
      ...(run.header.commands || []).map((c) => ({ c, by: "you" })),
    ]
      .map(({ c, by }) => ({ at: instant(c[0]), action: c[1], args: c.slice(2), by }))
      .filter((c) => c.at <= this.until)
      .filter((c) => c.at < this.until)
      .sort((a, b) => a.at - b.at);
    this.story = run.story || [];
    this.rows = this.snap(run.table || []);
    this.moments = [
      ...new Set([
        0,
        ...this.rows.map((r) => r.at),
        ...this.story.map((r) => r[0]),
        ...this.commands.map((c) => c.at),
        this.until,
      ]),
    ]
      .filter((x) => x <= this.until)
      .sort((a, b) => a - b);
    this.cache = null;
  }
  /** Requests that still wait when the run ends. */
  unanswered() {
    for (const ask of this.header.waiting || []) {
      this.requests.push({ ...ask, at: this.until + 1, from: ask.actor, outcome: "waiting" });
      this.flight = Math.max(this.flight, this.until - ask.started);
    }
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
          const api = objects[i][1],
            host = this.topology.hosts.find((x) => x.components.includes(api));
          r.via = [
            ...r.via,
            api,
            ...(host ? host.components.filter((c) => kindOf(c) === "etcd") : []),
          ];
          break;
        }
    }
  }
  /** Rows of the table carry rounded times; give each the exact time of its record, so that a step shows it. */
  snap(table) {
    let from = 0;
    return table.map(([text, who, words]) => {
      const digits = (String(text).split(".")[1] || "").replace(/\D/g, "").length,
        ulp = SECOND / 10 ** digits;
      const near = Math.round(parseFloat(text) * SECOND);
      while (from < this.records.length && this.records[from][0] < near - ulp) from++;
      let at = near;
      for (let i = from; i < this.records.length && this.records[i][0] < near + ulp; i++)
        if (this.records[i][1] === who) {
          at = this.records[i][0];
          break;
        }
      return { at, text, who, words };
    });
  }
  at(t) {
    const n = upto(this.records, t, (r) => r[0]);
    let st = this.cache;
    if (!st || st.i > n || n - st.i > 400)
      st = this.frames.length
        ? JSON.parse(this.frames[Math.min(this.frames.length - 1, Math.floor(n / 400))])
        : blank(this.topology);
    while (st.i < n) fold(st, this.records[st.i++]);
    return (this.cache = st);
  }
  /** Things under way at t, drawn for at least *d* µs: on the wire they last a millisecond. */
  flying(t, d) {
    const out = { messages: [], requests: [] };
    for (
      let i = upto(this.messages, t, (m) => m.at) - 1, seen = 0;
      i >= 0 && seen < 400 && this.messages[i].at > t - 2.2 * d - SECOND;
      i--, seen++
    ) {
      const m = this.messages[i],
        real = m.arrives == null ? 0 : m.arrives - m.at,
        takes = Math.max(real, d);
      const from = m.at + (/resp|answer|reply/i.test(m.type) ? takes - real : 0),
        f = (t - from) / takes;
      if (f >= 0 && f < (m.arrives == null ? 0.6 : 1) && out.messages.length < 40)
        out.messages.push({ ...m, f, lost: m.arrives == null });
    }
    for (
      let i = upto(this.requests, t, (r) => r.started) - 1, seen = 0;
      i >= 0 && seen < 400 && this.requests[i].started > t - this.flight - 2 * d;
      i--, seen++
    ) {
      const r = this.requests[i],
        back = Math.max(r.at, r.started + d),
        done = t >= back;
      if (t < back + d * 0.8 && out.requests.length < 30)
        out.requests.push({
          ...r,
          f: done ? 1 - (t - back) / (d * 0.8) : Math.min(1, (t - r.started) / d),
          done,
          waiting: !done && t - r.started > d,
        });
    }
    return out;
  }
  said(t) {
    const n = upto(this.story, t, (x) => x[0]);
    return this.story[Math.max(0, n - 1)] || [0, "ok", this.header.title || "", ""];
  }
  happened(t) {
    return upto(this.rows, t, (x) => x.at);
  }
}

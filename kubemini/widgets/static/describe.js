// What is said of the thing selected: a title, then sentences.
import {
  base,
  cutFrom,
  hasAddress,
  holds,
  isProxy,
  kept,
  kindOf,
  look,
  shares,
  short,
} from "./facts.js";
import { bytes, plural, seconds } from "./kit.js";

const ago = (t, at) => `${seconds(t - at, 1)} s ago`;
const addresses = (endpoints) => endpoints.map((e) => e.ip).join(", ") || "nowhere";

/** [title, ...sentences] about *sel* at t; a sentence that does not apply is falsy. */
export function describe(sel, st, t, history) {
  if (st.hosts[sel]) return [sel, ...aboutHost(sel, st, t, history.topology)];
  if (st.programs[sel]) return [sel, ...aboutProgram(sel, st, t, history)];
  for (const [on, pods] of Object.entries(st.pods))
    if (pods[sel]) return [sel, ...aboutPod(pods[sel], on, st)];
  const rules = Object.entries(st.rules).filter(([, r]) =>
    Object.keys(r).some((x) => base(x) === sel),
  );
  if (rules.length || st.services[sel]) return [`Service ${sel}`, ...aboutService(sel, rules)];
  return [sel || "Nothing selected", sel ? "not there at this moment" : "Select a component."];
}

/** What is wrong with a clock, if it is. */
function ofClock(clock) {
  if (!clock) return "";
  const { offset, rate } = clock,
    date = offset && `${seconds(Math.abs(offset))} s ${offset > 0 ? "ahead" : "behind"}`;
  return `its clock: ${[date, rate !== 1 && `runs at ${rate}`].filter(Boolean).join(", ")}`;
}

function aboutHost(name, st, t, topology) {
  const { zone } = topology.hosts.find((x) => x.name === name),
    p = st.hosts[name],
    far = cutFrom(st, name);
  return [
    [
      zone && `zone ${short(zone)}`,
      p.on ? "power on" : `lost power ${ago(t, p.since)}, the disk is kept`,
    ]
      .filter(Boolean)
      .join(" · "),
    far.length &&
      (far.length >= topology.hosts.length - 1
        ? "✕ cut off from every other host: silence"
        : `✕ cannot reach ${far.join(", ")}`),
    p.slow && `slow disk: fsync takes ${seconds(p.slow)} s longer`,
    ofClock(st.clocks[name]),
  ];
}

function aboutPod(pod, host, st) {
  const ready = pod.state === "running" ? (pod.ready ? ", ready" : ", not ready") : "";
  return [
    `pod on ${host} · ${pod.ip || "no IP yet"}`,
    pod.state + ready,
    ...(isProxy(pod) ? aboutProxied(st.loaded[`ingress@${host}`]) : []),
  ];
}

/** What an ingress controller serves by: what it knew at its last sync. */
function aboutProxied(loaded) {
  if (!loaded || !loaded.serving) return ["its proxy serves nothing yet"];
  const ends = plural(loaded.endpoints, "endpoint");
  return [...loaded.routes, `${ends} at its last sync${loaded.endpoints ? "" : ": 503"}`];
}

function aboutService(name, rules) {
  const sends = ([who, r]) => {
    const rule = Object.values(r).find((y) => base(y.service) === name);
    return `${who.split("@")[1] || who} sends to ${addresses(rule.endpoints)}`;
  };
  return [...rules.map(sends), !rules.length && "no host is programmed with it yet"];
}

function aboutProgram(name, st, t, history) {
  const kind = kindOf(name),
    lk = look(st, name),
    { host } = st.programs[name],
    power = st.hosts[host],
    far = host ? cutFrom(st, host) : [];
  const about = KINDS[kind],
    all = far.length >= history.topology.hosts.length - 1;
  return [
    ...standing(name, st, t, lk),
    ...(st.members[name] ? aboutMember(name, st, lk) : []),
    ...(about ? about(name, st, t, lk, history) : []),
    ...(st.connections[name] ? aboutConnection(name, st) : []),
    far.length && `✕ ${host} cannot reach ${all ? "any other host" : far.join(", ")}`,
    power &&
      power.slow &&
      kind === "etcd" &&
      `slow disk: fsync takes ${seconds(power.slow)} s longer`,
    ofClock(st.clocks[name] || st.clocks[host]),
  ];
}

/** Why a program does nothing, if so. */
function standing(name, st, t, lk) {
  const p = st.programs[name],
    power = st.hosts[p.host],
    dark = power && !power.on;
  if (lk.word === "spare") return ["a machine without etcd: it can be added"];
  if (lk.cls === "spare") return ["removed: it is no member any more"];
  if (lk.cls === "paused")
    return [`‖ paused ${ago(t, p.since)}: its host accepts what is sent, it answers nobody`];
  if (lk.cls !== "down") return [];
  const disk = st.members[name] ? `, log ${st.members[name].last}: the disk is kept` : "";
  const seen = dark ? "silence" : p.why ? "" : "connections are reset, new ones refused",
    what = dark ? "its host lost power" : p.why || "crashed";
  return [`✕ ${what} ${ago(t, dark ? power.since : p.since)}${seen && `: ${seen}`}${disk}`];
}

function aboutMember(name, st, lk) {
  const e = st.members[name],
    lines = [],
    role = lk.cls === "learner" ? "learner, no vote, in" : e.role + " of";
  const follows = e.lead && e.lead !== name ? `, follows ${e.lead}` : "";
  if (!/down|spare/.test(lk.cls)) {
    lines.push(`${lk.mark ? lk.mark + " " : ""}${role} term ${e.term}${follows}`);
    lines.push(`log ${e.last} · commit ${e.commit} · revision ${e.revision}`);
  }
  if (e.room)
    lines.push(
      `database ${bytes(e.room.size)} of ${bytes(e.room.quota)}, in use ${bytes(e.room.in_use)}`,
    );
  if (st.alarms[name])
    lines.push(`▲ raised the alarm ${st.alarms[name]}: etcd refuses writes that need room`);
  return lines;
}

function aboutConnection(name, st) {
  const mine = kept(st, name),
    { why } = st.connections[name];
  if (!mine) return [`○ hangs on nobody${why ? ": " + why : ""}`];
  const by = mine.to === mine.server ? "" : ` through ${mine.to}`;
  return [`● hangs on ${mine.server}${by} since ${seconds(mine.since)} s`];
}

function aboutServer(name, st, t, lk) {
  const r = st.ready[name],
    { host } = st.programs[name],
    why = (x) => (x && x.why ? ": " + x.why : "");
  const counted = Object.entries(st.backends)
    .map(([lb, b]) => [lb, b[name] || b[host]])
    .filter(([, x]) => x);
  const hang = Object.keys(st.connections).filter((c) => (kept(st, c) || {}).server === name);
  return [
    lk.cls === "up" && (r && r.ready ? "ready" : `not ready${why(r)}`),
    hang.length && `${plural(hang.length, "client keeps", "clients keep")} a connection to it`,
    ...counted.map(([lb, x]) => `${lb} counts it ${x.up ? "up" : "down"}${why(x)}`),
  ];
}

function aboutLease(name, st) {
  const scheduler = kindOf(name) === "scheduler",
    lease = Object.entries(st.leases).find(([l, w]) => scheduler === /scheduler/.test(l) && w);
  if (!lease) return ["nobody at work holds the lease"];
  return [holds(st, name) ? `● holds the lease ${lease[0]}` : `waits: ${lease[1]} holds the lease`];
}

function aboutKubelet(name, st, t, lk) {
  const { host } = st.programs[name],
    pods = plural(Object.keys(st.pods[host] || {}).length, "pod");
  return [`${pods} on ${host}${lk.cls === "down" ? ": they go on without it" : ""}`];
}

function aboutProxy(name, st, t, lk) {
  const rules = Object.values(st.rules[name] || {}).map(
    (r) => `${base(r.service)} ${r.ip} → ${addresses(r.endpoints)}`,
  );
  return [...rules, lk.cls === "down" && "The kernel keeps these rules. Nobody updates them."];
}

function aboutAgent(name, st, t, lk) {
  const { host } = st.programs[name],
    names = st.policies[name] || [];
  if (lk.cls === "down") return [`Nobody judges on ${host} now: every connection may begin.`];
  return names.length
    ? [`judges what begins or ends at the pods of ${host}, by ${names.join(", ")}`]
    : ["knows no policy: every connection may begin"];
}

function aboutBalancer(name, st) {
  const told = (x) =>
    `${x.up ? "●" : "✕"} ${x.server} ${x.up ? "up" : "down"}${x.why ? ": " + x.why : ""}`;
  const [address] = Object.keys(st.addresses),
    own = hasAddress(st, name) ? `★ ${address} is on its host` : "○ the address is not on its host";
  return [shares(st, name) && own, ...Object.values(st.backends[name] || {}).map(told)];
}

function aboutKeeper(name, st) {
  const mine = st.vrrp[name],
    held = Object.entries(st.addresses).filter(([, on]) => on.includes(name));
  return [
    mine && `${mine.state} with priority ${mine.priority}: ${mine.why}`,
    ...held.map(([address]) => `★ ${address} is on its host`),
  ];
}

function aboutVisitor(name, st, t, lk, history) {
  const { host } = st.programs[name],
    rules = Object.values(st.rules[`kube-proxy@${host}`] || {});
  const ways = rules.map((x) => `${base(x.service)} → ${addresses(x.endpoints)}`);
  return [
    `a program on ${host}: its packets follow that host's own rules`,
    ...ways,
    tally(history, name, t),
  ];
}

const KINDS = {
  apiserver: aboutServer,
  scheduler: aboutLease,
  controllers: aboutLease,
  kubelet: aboutKubelet,
  "kube-proxy": aboutProxy,
  policies: aboutAgent,
  lb: aboutBalancer,
  keeper: aboutKeeper,
  visitor: aboutVisitor,
  client: (name, st, t, lk, history) => [tally(history, name, t)],
};

function tally(history, who, t) {
  const n = { ok: 0, failed: 0, unknown: 0 };
  for (const r of history.ended) {
    if (r.at > t) break;
    if (r.from === who) n[r.outcome]++;
  }
  return `● ${n.ok} ok · ✕ ${n.failed} failed · ? ${n.unknown} unknown`;
}

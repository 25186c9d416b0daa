// Facts about a state: who is alive, what a program looks like, who is cut from whom; and what names say.
import { votersOf } from "./fold.js";

// ---- names -------------------------------------------------------------------------------------------------
export const KINDS = [
  [/^etcd-\d/, "etcd"],
  [/^apiserver/, "apiserver"],
  [/^scheduler/, "scheduler"],
  [/^controller-manager/, "controllers"],
  [/^kubelet/, "kubelet"],
  [/^kube-proxy/, "kube-proxy"],
  [/^haproxy/, "lb"],
  [/^keepalived/, "keeper"],
  [/^pods@/, "pods"],
  [/^visitor@/, "visitor"],
  [/^kube-network-policies/, "policies"],
  [/^callers@/, "callers"],
  [/^servers@/, "servers"],
  [/^clients@/, "clients"],
  [/^ingress@/, "ingress"],
];
export const kindOf = (name) => (KINDS.find(([re]) => re.test(name)) || [0, "client"])[1];
export const LONG = {
  apiserver: "kube-apiserver",
  scheduler: "scheduler",
  controllers: "controllers",
  lb: "load balancer",
};

export const short = (zone) => String(zone).replace(/^zone[- ]?/, "");
export const base = (name) => String(name).split("/").pop();
export const holds = (st, name) =>
  Object.entries(st.leases).some(
    ([l, w]) => w === name && /scheduler/.test(l) === /^scheduler/.test(name),
  );
/** Whether the program of a pod is the ingress controller. */
export const isProxy = (pod) => pod.app === "ingress-controller";
/** Whether the host of a program has the address that two balancers share. */
export const hasAddress = (st, name) =>
  Object.values(st.addresses).some((on) =>
    on.some((keeper) => st.programs[keeper].host === (st.programs[name] || {}).host),
  );
/** Whether a program is one of two balancers that share an address. */
export const shares = (st, name) =>
  /^haproxy/.test(name) && !!st.programs[name.replace("haproxy", "keepalived")];
/** The connection that a client uses, {to: whom it has dialled, server: who serves it, since}; null if it has none. */
export const kept = (st, client) => {
  const mine = st.connections[client];
  return (mine && mine.kept[mine.kept.length - 1]) || null;
};

/** The balancer behind a virtual address now, if somebody holds it; any other name is itself. */
export function doorOf(st, name) {
  if (!st.addresses[name]) return name;
  const [holder] = st.addresses[name],
    host = holder && st.programs[holder].host;
  return Object.keys(st.programs).find((p) => kindOf(p) === "lb" && st.programs[p].host === host);
}

/** The cluster that the newest data belongs to: {id, voters, learners}. */
export const cluster = (st) => st.clusters[st.clusters.length - 1];
export const among = (m, st) => [...cluster(st).voters, ...cluster(st).learners].includes(m);
// ---- facts about a state -----------------------------------------------------------------------------------
export const alive = (st, name) => {
  const c = st.programs[name];
  return !!c && c.up && (!c.host || !st.hosts[c.host] || st.hosts[c.host].on);
};
/** What one member looks like: the fixed mark, class and word of the book. */
export function look(st, name) {
  const c = st.programs[name] || {},
    e = st.members[name];
  if (e && !c.up && !among(name, st))
    return { cls: "spare", mark: "", word: e.last ? "removed" : "spare" };
  if (!alive(st, name))
    return {
      cls: "down",
      mark: "✕",
      word:
        st.hosts[c.host] && !st.hosts[c.host].on ? "no power" : c.why ? "not running" : "crashed",
    };
  if (c.paused) return { cls: "paused", mark: "‖", word: "paused" };
  if (!e) return { cls: "up", mark: "", word: "running" };
  if (e.role === "leader") return { cls: "leader", mark: "★", word: "leader" };
  if (/candidate/.test(e.role)) return { cls: "candidate", mark: "◇", word: e.role };
  if (cluster(st).learners.includes(name)) return { cls: "learner", mark: "◔", word: "learner" };
  return { cls: "follower", mark: "", word: e.role || "follower" };
}
export const isCut = (st, a, b) =>
  st.cuts.some((c) => (c.a.includes(a) && c.b.includes(b)) || (c.b.includes(a) && c.a.includes(b)));
export const cutFrom = (st, host) =>
  Object.keys(st.hosts).filter((o) => o !== host && isCut(st, host, o));
/** The hosts *host* cannot reach, if that is most of them: the larger side of a cut is not cut off. */
export function offside(st, host) {
  const far = cutFrom(st, host);
  return far.length * 2 > Object.keys(st.hosts).length - 1 ? far : [];
}
/** The members' hosts that the one of *m* cannot reach, if so it reaches no quorum of them. */
export function apart(st, m) {
  const hosts = cluster(st).voters.map((x) => (st.programs[x] || {}).host),
    far = hosts.filter((x) => isCut(st, st.programs[m].host, x));
  return hosts.length - far.length < Math.floor(hosts.length / 2) + 1 ? far : [];
}
/** Members up, members needed, and how many of those up can talk to each other. */
export function quorum(st) {
  const members = cluster(st).voters,
    need = Math.floor(members.length / 2) + 1;
  const up = votersOf(st, cluster(st)).filter((m) => alive(st, m) && !st.programs[m].paused);
  const together = Math.max(
    0,
    ...up.map((m) => up.filter((o) => !isCut(st, st.programs[m].host, st.programs[o].host)).length),
  );
  return { members, need, up: up.length, together };
}

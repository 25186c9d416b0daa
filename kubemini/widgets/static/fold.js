// What is true at an instant, by the rule of kubemini/view/state.py, which says what each field is.
// A test holds the two together at every record of every scenario.
const TAIL = 24; // entries of a log that are kept
export const SPARE = "not a member yet";

/** The state before anything has happened. */
export function blank(topology) {
  const spares = topology.spares || [];
  const state = {
    programs: {},
    hosts: {},
    members: {},
    clusters: [],
    data: {},
    cuts: [],
    links: [],
    ready: {},
    backends: {},
    connections: {},
    addresses: {},
    vrrp: {},
    leases: {},
    pods: {},
    rules: {},
    policies: {},
    loaded: {},
    services: {},
    nodes: {},
    keys: {},
    revision: 0,
    alarms: {},
    clocks: {},
  };
  for (const host of topology.hosts) {
    state.hosts[host.name] = { on: true, since: 0, slow: 0 };
    for (const name of host.components) state.programs[name] = { ...NOWHERE, host: host.name };
  }
  for (const name of spares) Object.assign(state.programs[name], { up: false, why: SPARE });
  for (const name of [...topology.etcd, ...spares]) state.members[name] = emptied();
  for (const name of topology.etcd) state.data[name] = 1;
  state.clusters.push({ id: 1, voters: [...topology.etcd], learners: [] });
  return state;
}

const NOWHERE = { host: null, up: true, paused: false, since: 0, why: "" };
const emptied = () => ({
  role: "follower",
  term: 0,
  lead: null,
  last: 0,
  commit: 0,
  applied: 0,
  revision: 0,
  log: [],
  room: null,
});
const program = (state, name) => (state.programs[name] ||= { ...NOWHERE });
/** The voters of a cluster whose data belongs to it. */
export const votersOf = (state, cluster) =>
  cluster.voters.filter((name) => state.data[name] === cluster.id);
const newest = (state) => state.clusters[state.clusters.length - 1];

/** One rule a word: (state, at, actor, detail). */
export const RULES = {
  start(state, at, actor) {
    Object.assign(program(state, actor), { up: true, paused: false, since: at, why: "" });
    if (state.members[actor]) Object.assign(state.members[actor], { role: "follower", lead: null });
  },
  crash(state, at, actor, d) {
    Object.assign(program(state, actor), { up: false, paused: false, since: at, why: d.why || "" });
    delete state.ready[actor];
    delete state.connections[actor];
    delete state.vrrp[actor];
    delete state.policies[actor];
    delete state.loaded[actor];
    for (const [address, held] of Object.entries(state.addresses))
      state.addresses[address] = held.filter((name) => name !== actor);
    for (const [lease, holder] of Object.entries(state.leases))
      if (holder === actor) delete state.leases[lease];
    if (state.members[actor]) Object.assign(state.members[actor], { role: "follower", lead: null });
  },
  exit: (state, at, actor, d) => RULES.crash(state, at, actor, d),
  pause: (state, at, actor) =>
    void Object.assign(program(state, actor), { paused: true, since: at }),
  resume: (state, at, actor) =>
    void Object.assign(program(state, actor), { paused: false, since: at }),
  power_off(state, at, actor) {
    Object.assign(state.hosts[actor], { on: false, since: at });
    for (const [name, p] of Object.entries(state.programs))
      if (p.host === actor && p.up) RULES.crash(state, at, name, {});
  },
  power_on(state, at, actor) {
    Object.assign(state.hosts[actor], { on: true, since: at });
    state.pods[actor] = {};
  },
  slow_disk: (state, at, actor, d) => void (state.hosts[actor].slow = d.extra),
  clock(state, at, actor, d) {
    const runs = Object.keys(state.programs).filter((name) => state.programs[name].host === actor);
    for (const name of [actor, ...runs]) delete state.clocks[name];
    if (d.offset || d.rate !== 1) state.clocks[actor] = d;
  },
  cut: (state, at, actor, d) => void state.cuts.push(d),
  heal: (state) => void Object.assign(state, { cuts: [], links: [] }),
  latency: (state, at, actor, d) => void state.links.push({ what: "latency", ...d }),
  loss: (state, at, actor, d) => void state.links.push({ what: "loss", ...d }),
  role: (state, at, actor, d) => void Object.assign(state.members[actor], d),
  append(state, at, actor, d) {
    const member = state.members[actor],
      log = member.log.filter(([index]) => index < d.index);
    const before = log.length ? log[log.length - 1][0] : Math.max(member.last, d.index - TAIL);
    for (let i = Math.max(before + 1, d.index - TAIL); i <= d.index; i++) log.push([i, d.term]);
    Object.assign(member, { log: log.slice(-TAIL), last: d.index });
  },
  truncate(state, at, actor, d) {
    const member = state.members[actor];
    Object.assign(member, {
      log: member.log.filter(([index]) => index < d.index),
      last: d.index - 1,
    });
  },
  compact(state, at, actor, d) {
    const member = state.members[actor];
    member.log = member.log.filter(([index]) => index > d.index);
  },
  commit: (state, at, actor, d) => void (state.members[actor].commit = d.index),
  apply(state, at, actor, d) {
    const member = state.members[actor];
    Object.assign(member, {
      applied: d.index,
      commit: Math.max(member.commit, d.index),
      revision: d.revision,
    });
  },
  snapshot(state, at, actor, d) {
    const { index, revision } = d;
    Object.assign(state.members[actor], {
      log: [],
      last: index,
      commit: index,
      applied: index,
      revision,
    });
  },
  restore(state, at, actor, d) {
    Object.assign(state.members[actor], emptied(), { revision: d.revision });
    state.data[actor] = d.cluster;
    state.clusters = state.clusters.filter((c) => votersOf(state, c).length);
    if (!state.clusters.some((c) => c.id === d.cluster))
      state.clusters.push({ id: d.cluster, voters: [...d.members], learners: [] });
    state.revision = d.revision;
    state.keys = Object.fromEntries(
      Object.entries(d.kv).map(([key, [value, revision]]) => [key, { value, revision }]),
    );
  },
  membership(state, at, actor, d) {
    const cluster = state.clusters.find((c) => c.id === state.data[actor]) || newest(state);
    const known = [...cluster.voters, ...cluster.learners];
    for (const name of [...d.voters, ...d.learners]) {
      if (known.includes(name) || !state.members[name]) continue;
      Object.assign(state.members[name], emptied()); // a new member begins with an empty disk
      state.data[name] = cluster.id;
    }
    Object.assign(cluster, { voters: [...d.voters], learners: [...d.learners] });
  },
  room: (state, at, actor, d) => void (state.members[actor].room = d),
  alarm(state, at, actor, d) {
    if (d.raised) state.alarms[d.member] = d.alarm;
    else delete state.alarms[d.member];
  },
  kv(state, at, actor, d) {
    state.revision = d.revision;
    if (d.value === null) delete state.keys[d.key];
    else state.keys[d.key] = { value: d.value, revision: d.revision };
  },
  ready: (state, at, actor, d) => void (state.ready[actor] = d),
  backend: (state, at, actor, d) => void ((state.backends[actor] ||= {})[d.server] = d),
  connection(state, at, actor, d) {
    if (d.state === "open" || d.state === "refused")
      state.connections[actor] ||= { kept: [], why: "" };
    const mine = state.connections[actor];
    if (!mine) return; // the end of what a dead program had
    mine.why = d.why;
    if (d.state === "open") return void mine.kept.push({ to: d.to, server: d.server, since: at });
    const ended = mine.kept.findIndex((one) => one.to === d.to && one.server === d.server);
    if (ended >= 0) mine.kept.splice(ended, 1);
  },
  address(state, at, actor, d) {
    const held = (state.addresses[d.address] || []).filter((name) => name !== actor);
    state.addresses[d.address] = d.held ? [...held, actor] : held;
  },
  vrrp: (state, at, actor, d) => void (state.vrrp[actor] = d),
  holder: (state, at, actor, d) =>
    void (state.leases[d.lease] = state.programs[actor] ? actor : d.holder),
  object(state, at, actor, d) {
    const kind = { Service: state.services, Node: state.nodes }[d.kind];
    if (kind && d.verb === "DELETED") delete kind[d.name];
    else if (kind) kind[d.name] = { namespace: d.namespace ?? null, ...d.summary };
  },
  pod(state, at, actor, d) {
    const pods = (state.pods[program(state, actor).host || actor.split("@").pop()] ||= {});
    if (d.state === "gone") delete pods[d.name];
    else pods[d.name] = { ...d, since: at };
  },
  rules: (state, at, actor, d) => void ((state.rules[actor] ||= {})[d.service] = d),
  policies: (state, at, actor, d) => void (state.policies[actor] = d.names),
  loaded: (state, at, actor, d) => void (state.loaded[actor] = d),
};

/** Take one record in. */
export const fold = (state, [at, actor, what, detail]) =>
  RULES[what] && RULES[what](state, at, actor, detail);

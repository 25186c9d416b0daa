// What can be done to the thing selected: only what makes sense now.
import { among, cluster, cutFrom, kindOf, short } from "./facts.js";

/** Three ways to be gone, and what those who have a connection see of each. */
export const GONE = {
  crash: "the process is gone: its connections are reset, new ones are refused",
  pause: "it stands still: its host still accepts what is sent, and nobody answers",
  silence: "silence: nothing is accepted, nothing refused, nothing answered",
};
const KEEPS_A_LEASE = ["scheduler", "controller-manager", "kubelet"];
const SLOW =
  "Its clock runs at half speed: all that runs here waits twice as long before it does anything";
const RIGHT = "The date is right again, and a second lasts a second";
const STOP = "SIGTERM: it ends in peace, when it has done what it must";

/** [{label, action, args, title, key, danger, main}], in the order of the buttons; a key may have several letters. */
export function actionsFor(sel, st, topology) {
  const out = [],
    add = (label, action, args, props) => out.push({ label, action, args, ...props });
  const host = topology.hosts.find((x) => x.name === sel),
    comp = st.programs[sel],
    onHost = host ? sel : comp && comp.host,
    power = onHost && st.hosts[onHost];
  if (comp) toProgram(add, sel, st, topology, power);
  if (power) toHost(add, sel, onHost, st, topology);
  if (st.cuts.length) add("Heal network", "heal", [], { main: true, key: "h" });
  if (host) toZone(add, host.zone, st, topology);
  return out;
}

function toProgram(add, sel, st, topology, power) {
  const comp = st.programs[sel];
  if (power && !power.on) return;
  if (st.members[sel] && !comp.up && !among(sel, st)) {
    add("Add as voter", "member_add", [sel], { main: true, key: "c" });
    add("Add as learner", "member_add", [sel, "learner"]);
  } else if (!comp.up) add("Restart", "restart", [sel], { main: true, key: "c" });
  else {
    add("Crash", "crash", [sel], { danger: true, key: "c", title: GONE.crash });
    if (comp.paused) add("Resume", "resume", [sel], { main: true, key: "p" });
    else add("Pause", "pause", [sel], { key: "p", title: GONE.pause });
    add("Stop", "stop", [sel], { key: "s", title: STOP });
    if (cluster(st).learners.includes(sel)) add("Promote to voter", "member_promote", [sel]);
  }
  if (topology.kind === "etcd" && st.members[sel] && among(sel, st))
    add("Remove", "member_remove", [sel], { danger: true });
}

/** To the host that is selected, or on which what is selected runs. */
function toHost(add, sel, host, st, topology) {
  const selected = sel === host,
    named = (label) => (selected || topology.kind === "etcd" ? label : `${label} ${host}`),
    key = selected ? "co" : "o",
    power = st.hosts[host];
  if (!power.on) {
    add(named("Power on"), "power_on", [host], { main: true, key: "co" });
    return;
  }
  const silent = `${host} loses power: its memory is gone, its disk is kept. For all others ${GONE.silence}`;
  add(named("Power off"), "power_off", [host], { danger: true, key, title: silent });
  const others = topology.hosts.filter((x) => x.name !== host);
  if (cutFrom(st, host).length < others.length && others.length)
    add(named("Cut off"), "cut", [host], {
      key: "x",
      title: `${host} lives, but reaches nobody, and nobody reaches it, not even clients: ${GONE.silence}`,
    });
  const runs = topology.hosts.find((x) => x.name === host).components;
  if ((selected ? runs : [sel]).some((c) => kindOf(c) === "etcd"))
    add(named(power.slow ? "Normal disk" : "Slow disk"), "slow_disk", [
      host,
      power.slow ? "0ms" : "500ms",
    ]);
  if (selected && runs.some((c) => KEEPS_A_LEASE.includes(kindOf(c))))
    if (st.clocks[host]) add("Right clock", "skew_clock", [host, "0s"], { title: RIGHT });
    else add("Slow clock", "skew_clock", [host, "0s", "0.5"], { title: SLOW });
}

function toZone(add, zone, st, topology) {
  const zones = new Set(topology.hosts.map((x) => x.zone).filter(Boolean));
  if (!zone || zones.size < 2) return;
  const dark = topology.hosts.filter((x) => x.zone === zone).every((x) => !st.hosts[x.name].on);
  if (dark) add(`Restore zone ${short(zone)}`, "zone_restore", [zone]);
  else add(`Lose zone ${short(zone)}`, "zone_outage", [zone], { danger: true });
}

// What can be done to the thing selected: only what makes sense now.
import { among, cluster, cutFrom, kindOf, short } from "./facts.js";

// ---- actions: only those that make sense now ---------------------------------------------------------------
export function actionsFor(sel, st, topology) {
  const out = [],
    add = (label, action, args, props) => out.push({ label, action, args, ...props });
  const host = topology.hosts.find((x) => x.name === sel),
    comp = st.programs[sel],
    onHost = host ? sel : comp && comp.host;
  const power = onHost && st.hosts[onHost];
  if (host) {
    if (power.on) add("Power off", "power_off", [sel], { danger: true, key: "c" });
    else add("Power on", "power_on", [sel], { main: true, key: "c" });
  } else if (comp) {
    if (power && !power.on)
      add(`Power on ${onHost}`, "power_on", [onHost], { main: true, key: "c" });
    else if (st.members[sel] && !comp.up && !among(sel, st)) {
      add("Add as voter", "member_add", [sel], { main: true, key: "c" });
      add("Add as learner", "member_add", [sel, "learner"]);
    } else if (!comp.up) add("Restart", "restart", [sel], { main: true, key: "c" });
    else {
      add("Crash", "crash", [sel], { danger: true, key: "c" });
      if (comp.paused) add("Resume", "resume", [sel], { main: true, key: "p" });
      else add("Pause", "pause", [sel], { key: "p" });
      if (cluster(st).learners.includes(sel)) add("Promote to voter", "member_promote", [sel]);
    }
    if (topology.kind === "etcd" && st.members[sel] && (!power || power.on) && among(sel, st))
      add("Remove", "member_remove", [sel], { danger: true });
  }
  if (onHost && power && power.on) {
    const others = topology.hosts.map((x) => x.name).filter((x) => x !== onHost);
    if (cutFrom(st, onHost).length < others.length && others.length)
      add(host || topology.kind === "etcd" ? "Cut off" : `Cut off ${onHost}`, "cut", [onHost], {
        title: `${onHost} reaches nobody, and nobody reaches it: not even clients`,
      });
    const disk = host ? host.components.some((c) => kindOf(c) === "etcd") : kindOf(sel) === "etcd";
    if (disk)
      add(power.slow ? "Normal disk" : "Slow disk", "slow_disk", [
        onHost,
        power.slow ? "0ms" : "500ms",
      ]);
  }
  if (st.cuts.length) add("Heal network", "heal", [], { main: true });
  const zone = host && host.zone,
    zones = new Set(topology.hosts.map((x) => x.zone).filter(Boolean));
  if (zone && zones.size > 1) {
    const dark = topology.hosts.filter((x) => x.zone === zone).every((x) => !st.hosts[x.name].on);
    if (dark) add(`Restore zone ${short(zone)}`, "zone_restore", [zone]);
    else add(`Lose zone ${short(zone)}`, "zone_outage", [zone], { danger: true });
  }
  return out;
}

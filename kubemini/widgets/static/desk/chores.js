// What an operator does at a member: put and get, and its upkeep; or, when none is left, begin anew.
import { alive, cluster } from "../facts.js";
import { button, h } from "../kit.js";

const BUMP = "1000000000"; // revisions: beyond whatever the old cluster has given out
const field = (value) => h("input", { value, autocomplete: "off", spellcheck: "false" });

/** What is added to the inspector for *sel*, or null; *saved* is when the last backup was taken. */
export function chores(ctl, sel, st, saved) {
  const upkeep = h("div", { class: "km-form" }, operations(ctl, sel, st, saved));
  if (alive(st, sel)) return h("div", {}, asking(ctl), upkeep);
  return upkeep.children.length ? upkeep : null;
}

function asking(ctl) {
  const key = field("color"),
    value = field("green"),
    need = () => key.value.trim() || "color";
  const ask = (label, action, args, title) =>
    button(label, () => ctl.act({ action, args: args() }), { title });
  return h(
    "div",
    { class: "km-form" },
    h("label", {}, "key", key),
    h("label", {}, "value", value),
    ask("Put", "put", () => [need(), value.value, ctl.sel]),
    ask("Get", "get", () => [need(), ctl.sel], "linearizable: a majority confirms it"),
    ask(
      "Get, serializable",
      "get",
      () => [need(), ctl.sel, "serializable"],
      "from this member alone: works without quorum, may be old",
    ),
  );
}

function operations(ctl, sel, st, saved) {
  const act = (label, action, args, title) =>
    button(label, () => ctl.act({ action, args }), { title, "data-action": action });
  if (!Object.keys(st.members).some((m) => alive(st, m))) {
    if (saved == null) return [h("p", {}, "There is no backup to begin anew with.")];
    return [
      act(
        "Restore from the backup",
        "snapshot_restore",
        [cluster(st).voters.join(","), BUMP],
        "a new cluster begins with the last backup, its revision raised beyond the old one",
      ),
    ];
  }
  if (!alive(st, sel)) return [];
  return [
    st.members[sel].role !== "leader" &&
      act("Make it leader", "move_leader", [sel], "etcdctl move-leader"),
    act("Back up", "snapshot_save", [sel], "etcdctl snapshot save"),
    act("Compact", "compact", [], "forget what the newest revision overwrote"),
    act("Defragment", "defrag", [sel], "give back the room inside the database file"),
    alarmed(st) && act("Disarm", "alarm_disarm", [], "etcdctl alarm disarm"),
  ];
}

export const alarmed = (st) => Object.keys(st.alarms).length > 0;

// What a reader may do to the loop: cut its watches and mend them, scale, delete a pod.
import { button, h } from "../kit.js";

export function deeds(ctl, program, { rows, heard }) {
  const act = (label, action, args, title) =>
    button(label, () => ctl.act({ action, args: args() }), { title, "data-action": action });
  const cut = ([kind, state]) =>
    state === "cut"
      ? act(`Mend its watch of ${kind}s`, "mend_watch", () => [program, kind])
      : act(
          `Cut its watch of ${kind}s`,
          "cut_watch",
          () => [program, kind],
          "nothing more arrives on it; all else that it asks for is answered",
        );
  return [...heard.map(cut), scaling(rows, act), deleting(rows, act)].filter(Boolean);
}

function scaling(rows, act) {
  const [, name, says] = rows.find(([kind, , now]) => kind === "ReplicaSet" && now) || [];
  if (!name) return null;
  const wanted = Number((/wants (\d+)/.exec(says) || [0, 1])[1]),
    deployment = name.slice(0, name.lastIndexOf("-")),
    to = h("input", {
      type: "number",
      min: 0,
      max: 9,
      value: wanted + 1,
      "aria-label": "replicas",
    });
  return h(
    "span",
    { class: "km-loop-deed" },
    act("Scale to", "scale", () => [deployment, to.value]),
    to,
  );
}

function deleting(rows, act) {
  const pods = rows.filter(([kind, , now]) => kind === "Pod" && now && !/end/.test(now));
  if (!pods.length) return null;
  const tail = (name) => `…${name.slice(name.lastIndexOf("-"))}`,
    which = h(
      "select",
      { "aria-label": "pod" },
      pods.map(([, name]) => h("option", { value: name }, tail(name))),
    );
  return h(
    "span",
    { class: "km-loop-deed" },
    act("Delete", "delete", () => ["pod", which.value]),
    which,
  );
}

// What stands on the cluster map: hosts, programs, Services, rules and pods, as elements that can be chosen.
import { choosable } from "../draw.js";
import { fit, s } from "../kit.js";

const LONG_NAME = 60; // px of a card that its name leaves to the zone

/** The card of a host: {g, right, b}. */
export function hostCard(ctl, b) {
  const names = [b.host.name, b.host.name.replace("host-", "")];
  const title = s(
    "text",
    { class: "km-h", x: b.x + 12, y: b.y + 21 },
    fit(b.w - LONG_NAME, 12.5, ...names),
  );
  const right = s("text", {
    class: "km-mute",
    x: b.x + b.w - 12,
    y: b.y + 21,
    "text-anchor": "end",
  });
  const card = s("rect", { class: "km-card", x: b.x, y: b.y, width: b.w, height: b.h, rx: 10 });
  return { g: choosable(ctl, b.host.name, card, title, right), right, b };
}

/** The chip of a program: {g, text, right, b, room}. */
export function programChip(ctl, b) {
  const etcd = b.kind === "etcd",
    round = etcd ? b.h / 2 : 7,
    inside = etcd ? 14 : b.w < 110 ? 7 : 10,
    y = b.y + b.h / 2 + 4;
  const text = s("text", { class: "km-t", x: b.x + inside, y });
  const right = s("text", { class: "km-mute", x: b.x + b.w - inside, y, "text-anchor": "end" });
  const halo = {
    class: "km-pulse",
    x: b.x - 2,
    y: b.y - 2,
    width: b.w + 4,
    height: b.h + 4,
    rx: round + 2,
  };
  const chip = s("rect", { class: "km-chip", x: b.x, y: b.y, width: b.w, height: b.h, rx: round });
  const g = choosable(ctl, b.name, ...(etcd ? [s("rect", halo)] : []), chip, text, right);
  return { g, text, right, b, room: b.w - 2 * inside };
}

/** The rules in a host's kernel: {g, text, r, name}. */
export function rulesChip(ctl, r, name) {
  const text = s("text", { class: "km-mute", x: r.x + 10, y: r.y + 17 });
  const chip = s("rect", {
    class: "km-chip km-rule",
    x: r.x,
    y: r.y,
    width: r.w,
    height: r.h,
    rx: 4,
  });
  const g = choosable(ctl, name, chip, text);
  g.setAttribute("class", "km-pick km-rules");
  return { g, text, r, name };
}

/** A Service: {g, sub}. */
export function serviceCard(ctl, b) {
  const sub = s("text", { class: "km-mute", x: b.x + 11, y: b.y + 32 });
  const name = s(
    "text",
    { class: "km-t", x: b.x + 11, y: b.y + 17 },
    fit(b.w - 18, 12, "Service " + b.name, b.name),
  );
  const chip = s("rect", { class: "km-chip", x: b.x, y: b.y, width: b.w, height: b.h, rx: 8 });
  return { g: choosable(ctl, b.name, chip, name, sub), sub };
}

/** A pod at *xy*: {g, mark, sub}. */
export function podMark(ctl, pod, [x, y]) {
  const app = pod.app || "pod",
    mark = s("text", { class: "km-pod-m", x: x + 13, y: y - 10 });
  const sub = s("text", { class: "km-mute km-ip", x, y: y + 29, "text-anchor": "middle" });
  const word = s(
    "text",
    { class: "km-pod-t", x, y: y + 4, "text-anchor": "middle" },
    fit(30, 11, app, app.slice(0, 4)),
  );
  return {
    g: choosable(
      ctl,
      pod.name,
      s("circle", { class: "km-pod-c", cx: x, cy: y, r: 16 }),
      word,
      mark,
      sub,
    ),
    mark,
    sub,
  };
}

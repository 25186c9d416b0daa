// The work queue: keys that wait, keys in hand, keys that come back later, with the time that is left.
import { h, plural, put, seconds } from "../kit.js";

const LANES = [
  ["waiting", "waits", "nothing"],
  ["working", "in hand", "nothing"],
  ["later", "comes back", "nothing"],
];
const short = (key) => key.replace(/^default\//, "");

export class Queue {
  constructor(pick) {
    this.head = h(
      "button",
      { type: "button", class: "km-loop-title", onclick: pick },
      "Its work queue",
    );
    this.sub = h("span", { class: "km-loop-sub" }, "keys, never what happened");
    this.lanes = {};
    const lane = ([name, words]) => {
      this.lanes[name] = h("ul", {});
      return h(
        "div",
        { class: `km-loop-lane km-loop-lane-${name}` },
        h("div", { class: "km-loop-lane-name" }, words),
        this.lanes[name],
      );
    };
    this.node = h(
      "section",
      { class: "km-loop-card km-loop-queue" },
      h("header", {}, this.head, this.sub),
      h("div", { class: "km-loop-lanes" }, LANES.map(lane)),
    );
  }

  draw(queue, t, chosen) {
    put(this.head, "aria-pressed", String(chosen));
    for (const [name, , none] of LANES) {
      const keys = name === "later" ? Object.keys(queue.later) : queue[name];
      const words = keys.map((key) => [short(key), note(name, key, queue, t)]);
      const drawn = JSON.stringify(words),
        lane = this.lanes[name];
      if (lane.drawn === drawn) continue;
      lane.drawn = drawn;
      lane.classList.toggle("km-loop-idle", !words.length);
      lane.replaceChildren(
        ...(words.length
          ? words.map(([key, more]) => h("li", {}, h("b", {}, key), more && h("span", {}, more)))
          : [h("li", { class: "km-loop-empty" }, none)]),
      );
    }
  }
}

/** What is said beside a key. */
function note(lane, key, queue, t) {
  if (lane === "working" && queue.again.includes(key)) return "changed meanwhile: once more";
  if (lane !== "later") return "";
  const left = `in ${seconds(Math.max(0, queue.later[key] - t), 2)} s`,
    failed = queue.failures[key];
  return failed ? `${left}, ${plural(failed, "failure")}` : left;
}

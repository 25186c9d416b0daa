// What stands around the scheduler's table: the pods, the scheduling queue, what the pod has been through, and the deeds.
import { button, h, plural } from "../kit.js";

const QUEUES = {
  active: "next in turn",
  "back-off": "waits a moment",
  unschedulable: "waits for something to happen",
};
const seconds = (x) => `${x.toFixed(1)} s`;

/** The pods as buttons; the one that is looked at is pressed. */
export function podList(state, look) {
  const where = (pod) =>
    pod.phase === "Terminating"
      ? `leaves ${pod.node}`
      : pod.node || (pod.nominated ? `waits for ${pod.nominated}` : "Pending");
  return state.pods.map((pod) => {
    const priority = pod.priority ? `, priority ${pod.priority}` : "";
    const made = button("", () => look(pod.name), {
      class: `km-b km-sched-pod${pod.node ? "" : " km-sched-pending"}`,
      "aria-pressed": String(pod.name === state.pod),
      "data-pod": pod.name,
    });
    made.append(
      h("b", {}, pod.name),
      h("span", {}, ` → ${where(pod)}`),
      h("small", {}, `${pod.cpu}, ${pod.memory}${priority}`),
    );
    return h("li", {}, made);
  });
}

/** The three queues, and what wakes who waits in the last one. */
export function queues(state) {
  return Object.entries(QUEUES).map(([name, words]) => {
    const inside = state.queue.filter((x) => x.queue === name);
    return h(
      "li",
      {},
      h("b", {}, name),
      h("span", { class: "km-sched-mute" }, ` ${words}: `),
      inside.length ? inside.map(queued) : h("span", {}, "nobody"),
    );
  });
}

function queued(entry) {
  const tried = `${entry.pod}, tried ${entry.attempts === 1 ? "once" : plural(entry.attempts, "time")}`;
  const until = entry.until ? `, until ${seconds(entry.until)}` : "";
  const wakes = entry.wakes.length
    ? [
        h("p", {}, `Refused by ${entry.refused_by.join(", ")}. It is tried again when …`),
        h(
          "ul",
          { class: "km-sched-wakes" },
          entry.wakes.map((x) => h("li", {}, x)),
          h("li", {}, `in about ${Math.round(entry.flush)} s, whatever happens`),
        ),
      ]
    : [];
  return h("div", { class: "km-sched-queued" }, h("b", {}, tried + until), wakes);
}

/** Into which queue the pod was put, when, and why. */
export const moves = (state) =>
  state.moves
    .slice(-6)
    .map(([at, why, queue]) =>
      h(
        "li",
        {},
        h("span", { class: "km-sched-at" }, seconds(at)),
        ` ${why} → ${queue.toLowerCase().replace("backoff", "back-off")}`,
      ),
    );

/** What was done, as one would type it; the story's own deeds first. */
export const deeds = (state) =>
  state.lines.map((line, i) =>
    h("li", { class: i < state.given ? "km-sched-mute" : "" }, h("code", {}, line)),
  );

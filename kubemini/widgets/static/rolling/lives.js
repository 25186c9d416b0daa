// What the strip of one Deployment says at an instant: how many pods there are, what bounds them, in a sentence.
// Pure: from the strips of kubemini/view/rollouts.py, whose words for the states of a pod these are.
import { SECOND, plural, upto } from "../kit.js";

export const GONE = "gone";
export const STATES = ["made", "runs", "ready", "exited", "leaving"];
export const WORDS = {
  made: "made, no container yet",
  runs: "runs, not ready",
  ready: "ready",
  exited: "has exited",
  leaving: "is leaving",
  gone: "is gone",
};
const PATIENCE = 5 * SECOND; // a pod that is not ready for so long holds a rollout up

/** The last of rows [at, …] that has begun. */
export const last = (rows, t) => rows[upto(rows, t, (row) => row[0]) - 1];

/** A pod's state, or nothing if it is not there (yet). */
export function stateOf(pod, t) {
  const span = last(pod.spans, t);
  return span && span[1] !== GONE ? span[1] : "";
}

/** {replicas, least, most, paused}: how many are wanted, must be ready, and may exist beside those that leave. */
export function boundsOf(strip, t) {
  const [, replicas, surge, unavailable, paused] = last(strip.bounds, t) || [0, 0, 0, 0, false];
  return { replicas, least: replicas - unavailable, most: replicas + surge, paused };
}

/** {ready, kept: all but those that leave, all, waiting: not ready, and why the rollout stands}. */
export function countsOf(strip, t) {
  const found = strip.pods.map((pod) => [pod, stateOf(pod, t)]).filter(([, state]) => state),
    many = (test) => found.filter(([, state]) => test(state)).length,
    waits = found.filter(
      ([pod, state]) => !/ready|leaving/.test(state) && since(pod, t) > PATIENCE,
    );
  return {
    ready: many((state) => state === "ready"),
    kept: many((state) => state !== "leaving"),
    all: found.length,
    stuck: waits.map(([pod]) => pod),
  };
}

/** For how long a pod has not been ready, from its beginning or since it last was. */
function since(pod, t) {
  const was = pod.spans.filter(([at, state]) => at <= t && state === "ready").length,
    now = last(pod.spans, t);
  return was ? t - now[0] : t - pod.spans[0][0];
}

/** The ReplicaSets that want pods at t: [{name, image, wanted}]. */
export function wanting(strip, t) {
  return strip.sets
    .map((one) => ({ ...one, wanted: (last(one.wants, t) || [0, 0])[1] }))
    .filter((one) => one.wanted);
}

/** [at, level, sentence, second sentence] of a Deployment. *lost*: instants of visits without an answer. */
export function sentence(strip, t, lost) {
  const { replicas, least, most, paused } = boundsOf(strip, t),
    counts = countsOf(strip, t),
    now = upto(lost, t) - upto(lost, t - SECOND),
    leaving = counts.all - counts.kept;
  const first = `${strip.name}: ${counts.ready} of ${replicas} ready${leaving ? `, ${leaving} on the way out` : ""}`;
  const why = [
    counts.ready < least && `fewer than the ${least} that must be ready`,
    now && `${plural(now, "visit")} lost in the last second`,
    counts.stuck.length && held(strip, counts.stuck),
    paused && "the rollout is paused",
  ].filter(Boolean);
  const level = counts.ready < least || now ? "bad" : why.length || !calm(strip, t) ? "warn" : "ok";
  const bounds = `at least ${least} must be ready, at most ${most} may exist beside those on the way out`;
  return [
    t,
    level,
    first + (why.length ? `: ${why[0]}` : ""),
    [...why.slice(1), bounds, ...budgets(strip, t)].join("; "),
  ];
}

const calm = (strip, t) => wanting(strip, t).length <= 1;

function held(strip, pods) {
  const image = strip.sets[pods[0].set].image;
  return `${plural(pods.length, "pod")} of ${image} ${pods.length === 1 ? "does" : "do"} not become ready`;
}

function budgets(strip, t) {
  return strip.budgets.map((one) => {
    const [, allowed] = last(one.told, t) || [0, 0];
    return `budget ${one.name} lets ${allowed || "nobody"} go`;
  });
}

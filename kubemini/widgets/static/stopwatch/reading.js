// What a stopwatch reads at an instant: of the node, of each pod on it, and whether its old container still serves.

export const KINDS = ["Deployment", "StatefulSet", "DaemonSet"];
/** The marks in the order of the story, with the number that stands for each in the picture. */
export const NODE_MARKS = ["renewed", "not-ready", "tainted"];
export const COPY_MARKS = ["marked", "created", "scheduled", "ready", "gone"];
export const numberOf = (mark, ofNode) =>
  1 + (ofNode ? NODE_MARKS.indexOf(mark) : NODE_MARKS.length + COPY_MARKS.indexOf(mark));

const has = (at, t) => at !== undefined && at <= t;
export const app = (copy) => copy.name.split("-")[0];
/** Seconds as a stopwatch shows them: 43.7 s, 5 min 44 s. */
export function told(x) {
  const size = Math.abs(x),
    sign = x < 0 ? "−" : "";
  if (size < 120) return `${sign}${size.toFixed(1)} s`;
  const whole = Math.round(size),
    rest = whole % 60;
  return `${sign}${Math.floor(whole / 60)} min${rest ? ` ${rest} s` : ""}`;
}

/** Whether a container of the old pod runs at t. */
export const alive = (copy, t) => t < 0 || copy.runs.some(([begin, end]) => begin <= t && t < end);

/** What the API says of the old pod at t: ready, unready, going, gone. */
export function said(copy, t) {
  const { marks } = copy;
  if (has(marks.gone, t)) return "gone";
  if (has(marks.marked, t)) return "going";
  if (has(marks["not-ready"], t) && !has(marks.again, t)) return "unready";
  return "ready";
}

/** The replacement at t: none, pending, starting, ready. */
export function next(copy, t) {
  const { marks } = copy;
  if (has(marks.ready, t)) return "ready";
  if (has(marks.scheduled, t)) return "starting";
  return has(marks.created, t) ? "pending" : "none";
}

/** What is true of the node at t, in one sentence. */
export function ofNode(watch, t) {
  const { node, timers } = watch;
  if (t < 0) return "The node is well.";
  if (has(node.again, t)) return "The node is back and Ready.";
  if (has(node.tainted, t) && watch.fault === "reboot")
    return "The node is NotReady; its pods had been evicted before.";
  if (has(node.tainted, t)) {
    const left = node.tainted + timers.toleration_seconds - t;
    return left > 0
      ? `The node is NotReady; its pods are tolerated for ${told(left)} more.`
      : "The node is NotReady, and the toleration of its pods is over.";
  }
  if (has(node["not-ready"], t)) return "The node is NotReady.";
  if (t < node.silent) return "The node is drained: cordoned, its pods evicted.";
  if (t < watch.back) return "The node is silent, and the API still calls it Ready.";
  return "The node is back, and was Ready in the API all the time.";
}

/** Whether the old copy serves, and whom. */
export function serving(copy, t, watch) {
  if (!alive(copy, t) && next(copy, t) === "ready")
    return `${app(copy)}: a new pod on ${copy.place}`;
  if (!alive(copy, t)) return `the old ${app(copy)} is dead`;
  const answered = copy.answered && copy.answered[0] >= t && t >= 0;
  const cut = watch.fault === "partition" && t < watch.back;
  if (answered) return `the old ${app(copy)} still serves${cut ? ", on its side of the cut" : ""}`;
  return `the old ${app(copy)} still runs`;
}

/** Two sentences: what the clock shows at t. */
export function sentence(watch, t) {
  if (t >= watch.until) return [summary(watch), "Drag the clock to see what was true when."];
  const old = watch.copies.map((copy) => serving(copy, t, watch)).join(", ");
  const two = watch.copies.filter((copy) => alive(copy, t) && next(copy, t) === "ready");
  const both = two.length ? ` Two copies at once: ${two.map(app).join(", ")}.` : "";
  return [`${told(t)}: ${ofNode(watch, t)}`, `${old[0].toUpperCase()}${old.slice(1)}.${both}`];
}

/** The whole of it in a line. */
export function summary(watch) {
  const ends = watch.copies.map((copy) => {
    const at = copy.marks.ready;
    if (at !== undefined) return `${copy.kind} after ${told(at)}`;
    return `${copy.kind} never`;
  });
  return `A replacement is Ready: ${ends.join(", ")}.`;
}

/** The instants at which something happens that has a word, in order. */
export function happenings(watch, words) {
  const known = (marks, of) => Object.entries(marks).filter(([mark]) => of[mark]);
  const all = [
    ...known(watch.node, words.node),
    ...watch.copies.flatMap((copy) => known(copy.marks, words.copy)),
  ];
  return all.map(([, at]) => at).sort((a, b) => a - b);
}

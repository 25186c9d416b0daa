// What one stage did: its question, its sentence, facts, plugins, and changes as lines with a mark before each.
import { h } from "../kit.js";
import { MARKS, WORDS } from "./chain.js";

const SHORT = 8; // lines of a change that are shown without being asked for
const KINDS = { "+": "km-req-add", "-": "km-req-gone", "…": "km-req-gap" };

export const took = (ms) =>
  ms >= 1000 ? `${+(ms / 1000).toFixed(2)} s` : `${+ms.toFixed(ms < 1 ? 2 : 1)} ms`;

/** Lines of a change: added, gone, or there for orientation. */
export function changes(lines, label) {
  return h(
    "div",
    { class: "km-req-diff", role: "group", "aria-label": label },
    lines.map((line) => h("div", { class: KINDS[line[0]] || "" }, line)),
  );
}

export function facts(pairs) {
  if (!pairs.length) return null;
  const row = ([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h("dl", { class: "km-req-facts" }, pairs.map(row));
}

/** A plugin, or a webhook, that did something; what is beside a refusal is folded. */
function part(one, refused) {
  const said = [
    h("i", { class: "km-req-dot", "data-verdict": one.verdict, "aria-hidden": "true" }),
    h("b", {}, one.name),
    ` ${one.diff.length ? "changed it" : WORDS[one.verdict]}`,
  ];
  if (!one.diff.length) return h("p", { class: "km-req-part" }, said);
  const open = !refused && one.diff.length <= SHORT;
  const body = changes(one.diff, `what ${one.name} changed`);
  return h("details", { class: "km-req-part", open }, h("summary", {}, said), body);
}

function lines(title, list, open = list.length <= SHORT) {
  if (!list.length) return null;
  const whole = h(
    "div",
    { class: "km-req-diff", role: "group", "aria-label": title },
    list.join("\n"),
  );
  return h("details", { class: "km-req-part", open }, h("summary", {}, title), whole);
}

/** What was sent. */
export const body = (walk) => lines("The body that is sent", walk.request.body, true);

function bodies(one, walk) {
  if (one.stage === "decode" && one.verdict !== "unreached") return body(walk);
  const ends = one.stage === "answer" || one.verdict === "refused";
  return ends ? lines("The body of the answer", walk.answer.body, true) : null;
}

/** All that is known of a stage. */
export function stageCard(one, walk) {
  const also = one.also.length
    ? h("p", { class: "km-req-also" }, `Asked, and had nothing to do: ${one.also.join(", ")}.`)
    : null;
  const time = one.took >= 0.01 ? h("span", { class: "km-req-took" }, took(one.took)) : null;
  return [
    h(
      "div",
      { class: "km-req-cardhead" },
      h("span", { class: "km-req-name" }, one.title),
      h(
        "span",
        { class: "km-req-verdict", "data-verdict": one.verdict },
        `${MARKS[one.verdict]} ${WORDS[one.verdict]}`,
      ),
      time,
    ),
    h("p", { class: "km-req-asks" }, one.asks),
    h("p", { class: "km-req-why", "data-verdict": one.verdict }, one.why),
    facts(one.facts),
    one.diff.length ? changes(one.diff, "what changed in the object") : null,
    ...one.parts.map((x) => part(x, one.verdict === "refused")),
    also,
    bodies(one, walk),
  ].filter(Boolean);
}

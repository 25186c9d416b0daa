// Request tracer: one request walks the API server's chain; what each stage asked, and what it did.
// Model: run {header, cases: [{name, what, asked, lesson, broken, walk}], users, hooks, codes}, caption; a walk is
// {request, stages: [{stage, title, asks, verdict, why, took, facts, diff, parts, also}], ended, answer}.
import { h, sentences } from "../kit.js";

function render({ model, el }) {
  const { walk, what } = model.get("run").cases[0];
  const rows = walk.stages.map((one) => h("li", {}, h("b", {}, one.title), ` ${one.why}`));
  const head = sentences(h("b", { class: "km-head" }, walk.answer.said), what);
  el.append(
    h("div", { class: "km km-request-tracer km-thin" }, head, h("ol", { class: "km-walk" }, rows)),
  );
}
export default { render };

// What a reader may do to the Deployment and the nodes, as the kubectl lines that do it.
import { button, h } from "../kit.js";
import { boundsOf, last } from "./lives.js";

const NEVER = "registry.invalid";
const AMOUNTS = ["0", "1", "2", "25%", "50%", "100%"];
const HOOKS = ["none", "1", "3", "5", "15"]; // seconds

const kubectl = (line) => ({ action: "kubectl", args: [line] });
const amount = (text) => (/%/.test(text) ? text : +text);

/** The images that there are to choose: those of the recording, the next good one, and one that nobody can pull. */
function images(strip) {
  const seen = strip.sets.map((one) => one.image),
    [, name] = /^(.*?)(:[^/]*)?$/.exec(seen[0] || "shop/web:1.0"),
    next = `${name}:${seen.length + 1}.0`;
  const bad =
    seen.find((image) => image.startsWith(NEVER)) || `${NEVER}/${name}:${seen.length + 1}.0`;
  return [...new Set([...seen, next, bad])];
}

function select(label, values, chosen, told = (x) => x) {
  const options = values.map((value) =>
    h("option", { value, selected: value === chosen }, told(value)),
  );
  return h("select", { class: "km-b", "aria-label": label }, options);
}
const row = (label, ...kids) =>
  h("div", { class: "km-wish" }, h("span", { class: "km-lab" }, label), ...kids);

/** The form: *act* does deeds. */
export class Wishes {
  constructor(ctl) {
    this.ctl = ctl;
  }

  form(strip, t, node, nodes, cordoned) {
    return h(
      "div",
      { class: "km-wishes" },
      this.image(strip),
      this.going(strip, t),
      this.size(strip, t),
      this.bounds(strip),
      this.hook(strip),
      this.node(node, nodes, cordoned),
    );
  }

  does(text, line, props) {
    return button(text, () => this.ctl.act(kubectl(line())), { ...props });
  }

  image(strip) {
    const told = (image) => (image.startsWith(NEVER) ? `✕ ${image}` : image),
      choice = select("image", images(strip), undefined, told);
    choice.value = images(strip).find((x) => !strip.sets.some((one) => one.image === x));
    const { container } = strip.sets[0];
    return row(
      "image",
      choice,
      this.does("Set", () => `set image deployment/${strip.name} ${container}=${choice.value}`, {
        "aria-label": "Set the image",
      }),
    );
  }

  going(strip, t) {
    const { paused } = boundsOf(strip, t),
      [word, verb] = paused ? ["Resume", "resume"] : ["Pause", "pause"];
    const line = (what) => () => `rollout ${what} deployment/${strip.name}`;
    return row(
      "rollout",
      this.does(word, line(verb)),
      this.does("Undo", line("undo"), { "aria-label": "Undo the rollout" }),
      this.does("Restart", line("restart")),
    );
  }

  size(strip, t) {
    const count = h("input", {
      type: "number",
      class: "km-b km-seed",
      min: 0,
      max: 12,
      value: boundsOf(strip, t).replicas,
      "aria-label": "replicas",
    });
    return row(
      "pods",
      count,
      this.does(
        "Scale",
        () =>
          `scale deployment/${strip.name} --replicas=${Math.min(12, Math.max(0, +count.value))}`,
      ),
    );
  }

  bounds(strip) {
    const surge = select("maxSurge", AMOUNTS, "25%", (x) => `+${x}`),
      away = select("maxUnavailable", AMOUNTS, "25%", (x) => `−${x}`);
    const patch = () => ({ maxSurge: amount(surge.value), maxUnavailable: amount(away.value) });
    const line = () =>
      `patch deployment ${strip.name} -p '${JSON.stringify({ spec: { strategy: { rollingUpdate: patch() } } })}'`;
    return row(
      "bounds",
      surge,
      away,
      this.does("Set", line, {
        "aria-label": "Set the bounds",
        title: "how far a rollout may go; it rolls nothing by itself",
      }),
    );
  }

  hook(strip) {
    const wait = select("preStop", HOOKS, "5", (x) => (x === "none" ? x : `sleep ${x} s`)),
      { container } = strip.sets[0];
    const lifecycle = () =>
      wait.value === "none" ? null : { preStop: { sleep: { seconds: +wait.value } } };
    const spec = () => ({ containers: [{ name: container, lifecycle: lifecycle() }] });
    const line = () =>
      `patch deployment ${strip.name} -p '${JSON.stringify({ spec: { template: { spec: spec() } } })}'`;
    return row(
      "preStop",
      wait,
      this.does("Set", line, {
        "aria-label": "Set the hook",
        title: "the template changes, so the pods are rolled",
      }),
    );
  }

  node(node, nodes, cordoned) {
    const choice = select("node", nodes, node),
      names = () => choice.value;
    const drain = this.does("Drain", () => `drain ${names()} --ignore-daemonsets`, {
      class: "km-b km-danger",
    });
    const turn = cordoned.length
      ? this.does("Uncordon all", () => `uncordon ${cordoned.join(" ")}`, {
          class: "km-b km-main-b",
        })
      : this.does("Cordon", () => `cordon ${names()}`);
    return h("div", { class: "km-wish" }, choice, drain, turn); // its name says that it is a node
  }
}

/** When the form is made anew: after a pause, a scaling, a cordon. */
export const wishState = (strip, t, cordoned) => [(last(strip.bounds, t) || []).slice(1), cordoned];

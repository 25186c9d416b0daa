// What a reader does to the cluster of the scheduler's table: to the node looked at, to a pod, or a pod more.
import { button, h } from "../kit.js";

const field = (uid, label, input) => {
  input.id = `${uid}-${label.replace(/\W+/g, "-")}`;
  return h("div", { class: "km-sched-field" }, h("label", { for: input.id }, label), input);
};
const choose = (list, words = (x) => x) =>
  h(
    "select",
    {},
    list.map((x) => h("option", { value: x }, words(x))),
  );
const typed = (value) =>
  h("input", { type: "text", value, size: 6, spellcheck: "false", autocomplete: "off" });

/** Buttons for the node that is looked at. */
export function nodeDeeds(place, machines, taints, act) {
  if (!place) return [];
  const made = [];
  const add = (words, ...deed) => made.push(button(words, () => act(deed)));
  if (place.cordoned) add("uncordon", "uncordon", place.name);
  else add("cordon", "cordon", place.name);
  for (const [effect, taint] of Object.entries(taints)) {
    const there = place.taints.includes(taint);
    add(
      there ? `take ${taint} away` : `taint ${effect}`,
      there ? "untaint" : "taint",
      place.name,
      effect,
    );
  }
  if (machines.includes(place.name))
    if (place.ready) add("cut its power", "crash", place.name);
    else add("give it power", "start", place.name);
  return made;
}

/** The forms: another pod, and what the pod that is looked at asks for. */
export class PodForms {
  constructor(uid, run, send, act) {
    this.act = act;
    this.cpu = typed("500m");
    this.memory = typed("256Mi");
    this.priority = choose(["", ...run.classes], (x) => x || "none");
    this.rule = choose(run.rules);
    this.newCpu = typed("");
    this.newMemory = typed("");
    this.whose = h("p", { class: "km-h4" });
    const form = (label, submit, ...kids) =>
      h(
        "form",
        {
          class: "km-sched-form",
          "aria-label": label,
          onsubmit: (ev) => {
            ev.preventDefault();
            submit();
          },
        },
        kids,
      );
    this.bDelete = button("Delete it", () => act(["delete", this.pod]));
    const change = h("button", { type: "submit", class: "km-b" }, "Change its requests");
    this.more = form(
      "one more pod",
      () =>
        act(["add", this.name, this.cpu.value, this.memory.value, this.chosen, this.rule.value]),
      h("p", { class: "km-h4" }, "one more pod"),
      field(`${uid}-a`, "CPU", this.cpu),
      field(`${uid}-a`, "memory", this.memory),
      field(`${uid}-a`, "priority", this.priority),
      field(`${uid}-a`, "rule", this.rule),
      send,
    );
    this.other = form(
      "the requests of this pod",
      () => act(["resize", this.pod, this.newCpu.value, this.newMemory.value]),
      this.whose,
      field(`${uid}-b`, "its CPU", this.newCpu),
      field(`${uid}-b`, "its memory", this.newMemory),
      change,
      this.bDelete,
    );
    this.node = h("div", { class: "km-sched-forms" }, this.other, this.more);
  }

  get chosen() {
    return this.priority.value;
  }

  /** For the pod that is looked at, among these *pods*. */
  set(pod, pods) {
    this.pod = pod.name;
    this.whose.textContent = `what ${pod.name} asks for`;
    this.newCpu.value = pod.cpu;
    this.newMemory.value = pod.memory;
    let number = 1;
    while (pods.some((x) => x.name === `mine-${number}`)) number++;
    this.name = `mine-${number}`;
    const mine = pod.name.split("-").length < 3; // a Deployment's pods have its name before theirs
    this.other.hidden = !mine;
  }
}

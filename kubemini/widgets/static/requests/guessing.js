// The prediction before a broken request runs: where it ends, and with which code; what was said stays on this device.
import { button, h, storage } from "../kit.js";
import { body } from "./stagecard.js";

const NAMES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Not Allowed",
  409: "Conflict",
  422: "Invalid",
  429: "Too Many",
  500: "Internal Error",
  504: "Timeout",
};
const FIRST = "Choose the stage in the chain first.";
const THEN = "Choose the code as well.";

export class Guessing {
  constructor(widget, run) {
    Object.assign(this, { widget, codes: run.codes.filter((code) => code in NAMES) });
    this.stage = this.code = null;
    this.said = h("div", { class: "km-req-said", hidden: true });
  }

  key(one) {
    return `requests.${this.widget.options.id || ""}.${one.name}`;
  }
  of(one) {
    return one.broken ? storage.get(this.key(one)) : null;
  }
  forget(one) {
    storage.set(this.key(one), null);
  }

  /** Whether what was said of *one* is true: null if nothing was, or its end has not been seen. */
  right(one) {
    const said = this.of(one);
    return said && said.seen
      ? said.stage === one.walk.ended && said.code === one.walk.answer.status
      : null;
  }
  /** The end of *one* has been seen. */
  ended(one) {
    const said = this.of(one);
    if (said && !said.seen) storage.set(this.key(one), { ...said, seen: true });
  }

  /** The panel beside the chain. */
  panel(one) {
    this.stage = this.code = null;
    this.hint = h("p", { class: "km-hint", role: "status" });
    this.stageSaid = h("b", {}, "Choose it there.");
    const radio = (code) =>
      h(
        "label",
        { class: "km-req-code" },
        h("input", {
          type: "radio",
          class: "km-sr",
          name: `${this.widget.uid}-code`,
          value: code,
          onchange: () => (this.code = code),
        }),
        h("b", {}, String(code)),
        h("span", {}, NAMES[code]),
      );
    const step = (n, ...kids) => h("div", { class: "km-req-step" }, h("i", {}, String(n)), kids);
    const legend = h("legend", {}, "With which code is it answered?");
    const codes = h("div", {}, this.codes.map(radio));
    return [
      h("p", { class: "km-req-name" }, "Predict first"),
      step(1, h("p", {}, "In which stage of the chain does it end? ", this.stageSaid)),
      step(2, h("fieldset", { class: "km-req-codes" }, legend, codes)),
      step(
        3,
        button("▶ Lock in, and run", () => this.lock(one), { class: "km-b km-main-b" }),
        this.hint,
      ),
      body(one.walk),
    ].filter(Boolean);
  }

  choose(stage, title) {
    this.stage = stage;
    this.stageSaid.textContent = title;
    this.hint.textContent = "";
  }

  lock(one) {
    const { chain, root } = this.widget;
    if (!this.stage || !this.code) {
      this.hint.textContent = this.stage ? THEN : FIRST;
      (this.stage
        ? root.querySelector(".km-req-code input")
        : chain.list.querySelector("input")
      ).focus();
      return;
    }
    storage.set(this.key(one), { stage: this.stage, code: this.code });
    this.widget.play(one);
  }

  /** After the walk: what was said, what happened, what to take from it. */
  reveal(one, shown) {
    const said = this.of(one);
    this.said.hidden = !(said && shown);
    if (this.said.hidden) return;
    const { walk } = one,
      right = this.right(one);
    const title = (id) => (walk.stages.find((x) => x.stage === id) || { title: id }).title;
    const truth = `it ended at ${title(walk.ended)} with ${walk.answer.status}`;
    const mine = `You said ${title(said.stage)} and ${said.code}`;
    this.said.dataset.right = right ? "1" : "0";
    this.said.replaceChildren(
      h("b", {}, right ? `✓ ${mine}, and so it is.` : `✕ ${mine}; ${truth}.`),
      button("Predict again", () => this.widget.again(one)),
    );
  }
}

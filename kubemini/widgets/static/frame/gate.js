// The question before the recording plays; what the reader says stays on this device.
import { h, storage } from "../kit.js";

const FIRST = "Lock in your prediction first: choose an answer, say how sure you are.";
const UNSURE = "I don't know";

export class Gate {
  constructor(widget) {
    this.widget = widget;
    this.question = widget.options.predict;
    this.node = h("div", { class: "km-gate" });
    this.revealed = false;
    this.prediction = this.question ? storage.get(this.key()) : null;
  }

  key() {
    const { options, base } = this.widget;
    return `predict.${options.id || (base && base.header.scenario)}.${this.question.question || ""}`.slice(
      0,
      160,
    );
  }

  /** Somebody wants to go on without having answered. */
  ask() {
    this.widget.parts.live.textContent = "Lock in your prediction first.";
    this.widget.say(FIRST);
    const first = this.node.querySelector("input");
    if (first) first.focus();
  }

  draw() {
    const { widget, question } = this,
      { play, back, next, range } = widget.parts,
      locked = widget.locked();
    this.node.hidden = !question;
    widget.root.classList.toggle("km-locked", locked);
    for (const part of [play, back, next, range]) part.disabled = locked;
    if (!question) return;
    if (locked) this.node.replaceChildren(this.form());
    else
      this.node.replaceChildren(
        h(
          "p",
          { class: "km-said" },
          `You said “${this.prediction.choice}” at ${this.prediction.confidence} %. Play to see what happens.`,
        ),
      );
  }

  form() {
    const { uid } = this.widget,
      { question, choices } = this.question;
    const all = choices.some((c) => /don.t know/i.test(c)) ? choices : [...choices, UNSURE];
    const radio = (c, i) =>
      h(
        "label",
        { class: "km-choice" },
        h("input", { type: "radio", name: uid + "p", value: i }),
        h("span", {}, c),
      );
    const sure = h("output", {}, "70 %"),
      hint = h("span", { class: "km-hint", role: "status" });
    const slider = h("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 5,
      value: 70,
      id: uid + "sure",
      oninput: () => {
        sure.textContent = slider.value + " %";
      },
    });
    const submit = (ev) => {
      ev.preventDefault();
      this.lock(all, +slider.value, hint);
    };
    return h(
      "form",
      { onsubmit: submit },
      h("fieldset", {}, h("legend", {}, question), all.map(radio)),
      h(
        "div",
        { class: "km-sure" },
        h("label", { for: uid + "sure" }, "How sure are you?"),
        slider,
        sure,
        h("button", { type: "submit", class: "km-b km-main-b" }, "Lock in"),
        hint,
      ),
    );
  }

  lock(choices, confidence, hint) {
    const { widget } = this,
      pick = this.node.querySelector("input[type=radio]:checked");
    if (!pick) {
      hint.textContent = "Choose an answer first.";
      this.node.querySelector("input").focus();
      return;
    }
    this.prediction = { choice: choices[+pick.value], index: +pick.value, confidence };
    storage.set(this.key(), this.prediction);
    widget.side.renew();
    widget.say("");
    widget.arrange();
    this.draw();
    widget.draw();
    widget.parts.play.focus();
  }

  /** The run is over: what was said, and what happened. */
  reveal() {
    const { question, prediction } = this;
    if (!question || !prediction || this.revealed) return;
    this.revealed = true;
    const answer =
      typeof question.answer === "number" ? question.choices[question.answer] : question.answer;
    const right = answer != null && prediction.choice === answer,
      mark = answer == null ? "" : right ? "✓ " : "✕ ";
    const said = h(
      "b",
      {},
      `${mark}You said “${prediction.choice}” at ${prediction.confidence} %; here is what happened. `,
    );
    const truth = answer != null && !right ? `${String(answer).replace(/\.$/, "")}. ` : "";
    this.node.replaceChildren(h("p", { class: "km-said" }, said, truth, question.explain || ""));
  }
}

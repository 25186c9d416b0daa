// Cutting the network on the desk: with a line across the cables, or by choosing sides.
import { along, cross, path } from "../draw.js";
import { isCut } from "../facts.js";
import { button, h, put, s } from "../kit.js";
import { sides } from "./ring.js";

const MEANT = 8; // px: less is a click

export class Knife {
  constructor(ctl, svg) {
    Object.assign(this, { ctl, svg, ring: null, now: null, stroke: null });
    this.way = h("span", {});
    this.form = h("form", {
      hidden: true,
      onsubmit: (ev) => {
        ev.preventDefault();
        this.divide();
      },
    });
    this.bSides = button("Choose sides", () => this.choose(), {
      "aria-expanded": "false",
      title: "key: x",
    });
    this.bHeal = button("Heal network", () => ctl.act({ action: "heal", args: [] }), {
      class: "km-b km-main-b",
      "data-action": "heal",
    });
    this.bar = h("div", { class: "km-cutbar" }, this.way, this.bSides, this.bHeal, this.form);
    svg.addEventListener("pointerdown", (ev) => this.begin(ev));
    svg.addEventListener("pointermove", (ev) => this.go(ev));
    svg.addEventListener("pointerup", () => this.letGo());
    for (const end of ["pointercancel", "lostpointercapture"])
      svg.addEventListener(end, () => this.stroke && this.drop(false));
  }

  /** The layer of a new picture. */
  setRun(ring) {
    this.ring = ring;
    this.line = s("path", { class: "km-stroke" });
    this.cables = s("path", { class: "km-wire" });
    this.hits = s("path", { class: "km-x" });
    const box = (m) => h("label", {}, h("input", { type: "checkbox", value: m }), m);
    this.form.replaceChildren(
      h("fieldset", {}, h("legend", {}, "One side of the cut"), Object.keys(ring.members).map(box)),
      button("Cut", null, { type: "submit" }),
    );
    return s("g", { "aria-hidden": "true", class: "km-dots" }, this.cables, this.line, this.hits);
  }

  draw(st) {
    this.now = st;
    this.bar.hidden = !this.ctl.able() || !this.ring.pairs.length;
    this.bHeal.hidden = !st.cuts.length;
    if (!this.stroke) put(this.way, "text", this.idle());
  }

  idle() {
    return (
      "Draw a line across the cables to cut them" +
      (this.now.cuts.length ? "; across cut ones, and the network heals." : ".")
    );
  }

  // -- what a line means
  whole(pairs) {
    const host = (m) => (this.now.programs[m] || {}).host;
    return pairs.filter((p) => !isCut(this.now, host(p.a), host(p.b)));
  }

  /** The deeds that cut these cables; where all are cut already, they heal. */
  deeds(pairs) {
    const cuts = sides(this.whole(pairs));
    if (cuts.length) return cuts.map((x) => ({ action: "cut", args: x.map((y) => y.join(",")) }));
    return pairs.length ? [{ action: "heal", args: [] }] : [];
  }

  told(does) {
    if (!does.length) return "Go on, across a cable.";
    if (does[0].action === "heal") return "Let go: the network heals.";
    return `Let go: ${does.map((d) => d.args.map((x) => x.replace(/,/g, ", ")).join(" ✕ ")).join("; ")}.`;
  }

  // -- with a pointer
  place(ev) {
    const m = this.svg.getScreenCTM().inverse();
    return [m.a * ev.clientX + m.e, m.d * ev.clientY + m.f];
  }

  begin(ev) {
    if (ev.button || !ev.isPrimary || !this.ring || !this.ctl.able()) return;
    this.stroke = {
      id: ev.pointerId,
      line: [this.place(ev), this.place(ev)],
      x: ev.clientX,
      y: ev.clientY,
      moved: false,
    };
  }

  go(ev) {
    const { stroke } = this;
    if (!stroke || ev.pointerId !== stroke.id) return;
    if (!stroke.moved && Math.hypot(ev.clientX - stroke.x, ev.clientY - stroke.y) > MEANT) {
      stroke.moved = true;
      this.svg.setPointerCapture(ev.pointerId);
    }
    stroke.line[1] = this.place(ev);
    this.drawStroke();
  }

  letGo() {
    if (!this.stroke) return;
    if (this.stroke.moved) this.noClick();
    this.drop(true);
  }

  /** The end of a line selects nothing. */
  noClick() {
    const stop = (ev) => ev.stopPropagation();
    this.svg.addEventListener("click", stop, true);
    setTimeout(() => this.svg.removeEventListener("click", stop, true));
  }

  drop(cut) {
    const does = cut && this.stroke.moved ? this.deeds(this.ring.crossed(this.stroke.line)) : [];
    this.stroke = null;
    this.drawStroke();
    if (does.length) this.ctl.act(...does);
  }

  drawStroke() {
    const { ring, stroke } = this,
      on = !!stroke && stroke.moved,
      hits = on ? ring.crossed(stroke.line) : [];
    const cable = (p) => path(ring.between(p.a, p.b)),
      mark = (p) => cross(true, along(ring.between(p.a, p.b), 0.5));
    this.svg.classList.toggle("km-cutting", on);
    put(this.line, "d", on ? path(stroke.line) : "M0 0");
    put(this.cables, "d", on ? ring.pairs.map(cable).join("") : "M0 0");
    put(this.hits, "d", hits.map(mark).join("") || "M0 0");
    put(this.way, "text", on ? this.told(this.deeds(hits)) : this.idle());
  }

  // -- without one: who stands on one side
  choose() {
    const { form, bSides } = this,
      boxes = [...form.querySelectorAll("input")];
    form.hidden = !form.hidden;
    bSides.setAttribute("aria-expanded", String(!form.hidden));
    if (form.hidden) return bSides.focus();
    for (const box of boxes) box.checked = box.value === this.ctl.sel;
    boxes[0].focus();
  }

  divide() {
    const here = [...this.form.querySelectorAll("input:checked")].map((x) => x.value);
    const pairs = this.whole(
      this.ring.pairs.filter((p) => here.includes(p.a) !== here.includes(p.b)),
    );
    if (pairs.length) {
      this.choose();
      return this.ctl.act(...this.deeds(pairs));
    }
    const some = here.length && here.length < Object.keys(this.ring.members).length;
    this.ctl.say(
      some
        ? "These sides are cut from each other already."
        : "Choose some members for one side, and leave some for the other.",
    );
  }

  /** Puts down what is held, closes what is open; false if nothing is. */
  giveUp() {
    if (this.stroke) this.drop(false);
    else if (!this.form.hidden) this.choose();
    else return false;
    return true;
  }
}

// The clock of a stopwatch: it is dragged, goes by keys, runs, and jumps from mark to mark; without motion it only jumps.
import { button, h, put } from "../kit.js";
import { happenings, told } from "./reading.js";

const LONG = 24; // s that the whole of it plays
const REST = 1500; // ms on each mark, without motion

/** *widget* has shown(): what is read, run.words, draw() and speak(). */
export class Clock {
  constructor(widget) {
    Object.assign(this, { widget, t: Infinity, frame: 0, resting: 0 });
    this.calm =
      !!window.matchMedia && window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.range = h("input", {
      type: "range",
      class: "km-sw-range",
      "aria-label": "the clock: seconds after the failure",
      step: "any",
      oninput: () => this.at(+this.range.value),
      onkeydown: (ev) => this.byKey(ev),
    });
    this.play = button("", () => this.turn(), { class: "km-b km-play" });
    const step = (way, text, label) =>
      button(text, () => this.toMark(way), { "aria-label": label });
    const before = step(-1, "← mark", "to the mark before"),
      after = step(1, "mark →", "to the next mark");
    this.node = h("div", { class: "km-sw-clock" }, this.play, before, after, this.range);
    this.stop();
  }

  span(from, until) {
    Object.assign(this, { from, until });
    put(this.range, "min", from);
    put(this.range, "max", until);
  }

  now() {
    return Math.min(this.t, this.until);
  }

  show(t) {
    this.range.value = t;
    put(this.range, "aria-valuetext", `${told(t)} after the failure`);
  }

  at(t, spoken = true) {
    this.t = Math.max(this.from, Math.min(t, this.until));
    this.widget.draw();
    if (spoken) this.widget.speak();
  }

  byKey(ev) {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[ev.key];
    if (!way) return;
    ev.preventDefault();
    this.at(Math.round(this.now()) + way);
  }

  toMark(way) {
    this.stop();
    const times = happenings(this.widget.shown(), this.widget.run.words),
      now = this.now();
    if (way > 0) this.at(times.find((x) => x > now + 0.0005) ?? this.until);
    else this.at(times.reverse().find((x) => x < now - 0.0005) ?? this.from);
  }

  turn() {
    if (this.frame || this.resting) return this.stop();
    if (this.now() >= this.until) this.at(this.from, false);
    put(this.play, "text", "‖ Stop");
    if (this.calm) this.resting = setInterval(() => this.jump(), REST);
    else this.frame = requestAnimationFrame((stamp) => this.step(stamp, stamp));
  }

  step(stamp, before) {
    this.at(this.now() + (((stamp - before) / 1000) * this.until) / LONG, false);
    if (this.now() >= this.until) return this.stop();
    this.frame = requestAnimationFrame((next) => this.step(next, stamp));
  }

  jump() {
    const times = happenings(this.widget.shown(), this.widget.run.words),
      found = times.find((x) => x > this.now() + 0.2);
    this.at(found ?? this.until);
    if (found === undefined) this.stop();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    clearInterval(this.resting);
    this.frame = this.resting = 0;
    put(this.play, "text", "▶ Run the clock");
  }
}

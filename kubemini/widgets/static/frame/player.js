// The time: where it stands, and how it goes on.
import { SECOND, SPEEDS, clamp, put, upto } from "../kit.js";

const LONGEST = 40 * SECOND; // a recording plays no longer than this, if it can be helped
const FRAME = 0.1; // s: a page that was hidden does not jump

export class Player {
  constructor(widget) {
    Object.assign(this, { widget, t: 0, playing: false, speed: 1, frame: 0, last: 0, idle: 0 });
  }

  /** A speed that suits a run until *until*. */
  suit(until) {
    this.speed =
      this.widget.options.speed || SPEEDS.find((v) => v >= 1 && until / v <= LONGEST) || 16;
    this.widget.parts.speeds.value = this.speed;
  }

  seek(to) {
    const { widget } = this;
    this.t = clamp(Math.round(to), 0, widget.past.until);
    widget.draw();
    if (this.t >= widget.past.until) widget.gate.reveal();
  }

  go(to) {
    this.play(false);
    this.seek(to);
    this.widget.announce();
  }

  step(way) {
    const { widget, t } = this,
      { moments, until } = widget.past;
    if (widget.locked()) return widget.gate.ask();
    const i = upto(moments, way > 0 ? t : t - 1);
    if (way < 0 && t === 0) widget.say("This is the start.");
    else if (way > 0 && t >= until) widget.say("This is the end.");
    this.go(way > 0 ? (moments[i] ?? until) : (moments[i - 1] ?? 0));
  }

  play(on) {
    const { widget } = this,
      { parts, past } = widget,
      was = this.playing;
    if (on && widget.locked()) return widget.gate.ask();
    this.playing = on;
    if (on && this.t >= past.until) this.t = 0;
    put(parts.play, "text", on ? "‖ Pause" : "▶ Play");
    put(parts.play, "aria-label", on ? "Pause playing" : "Play");
    parts.root.classList.toggle("km-playing", on);
    cancelAnimationFrame(this.frame);
    this.frame = this.last = this.idle = 0;
    if (on) this.frame = requestAnimationFrame((now) => this.tick(now));
    else if (was) widget.draw();
  }

  tick(now) {
    const { widget } = this,
      { moments, until } = widget.past;
    const passed = this.last ? Math.min(FRAME, (now - this.last) / 1000) : 0;
    this.last = now;
    if (widget.calm.matches) this.jump(passed, moments, until);
    else this.seek(this.t + passed * this.speed * SECOND);
    if (this.t >= until) {
      this.play(false);
      widget.announce();
    } else if (this.playing) this.frame = requestAnimationFrame((next) => this.tick(next));
  }

  /** No motion: from moment to moment, a second each. */
  jump(passed, moments, until) {
    this.idle += passed * this.speed;
    if (this.idle < 1) return;
    this.idle = 0;
    this.seek(moments[upto(moments, this.t)] ?? until);
    this.widget.announce();
  }

  faster(by) {
    const { parts } = this.widget;
    this.speed = SPEEDS[clamp(SPEEDS.indexOf(this.speed) + by, 0, SPEEDS.length - 1)];
    parts.speeds.value = this.speed;
    parts.live.textContent = `speed ${this.speed} times`;
  }
}

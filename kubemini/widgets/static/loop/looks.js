// The last decision: its sentence and what it wrote; and those before it, each a way back to its instant.
import { button, h, put, seconds, upto } from "../kit.js";

const SHOWN = 6;
const WORDS = {
  "✓": "written",
  "✕": "to be looked at again",
  "…": "goes on",
  "·": "nothing to do",
};

export class Looks {
  constructor(go) {
    this.go = go;
    this.says = h("p", { class: "km-loop-plan-says" });
    this.when = h("span", { class: "km-loop-sub" });
    this.wrote = h("ul", { class: "km-loop-wrote" });
    this.node = h(
      "section",
      { class: "km-loop-card km-loop-plan" },
      h("header", {}, h("b", { class: "km-loop-title" }, "Its last decision"), this.when),
      this.says,
      this.wrote,
    );
    this.list = h("ol", { class: "km-loop-past" });
    this.past = h(
      "div",
      { class: "km-under km-loop-under" },
      h("section", {}, h("div", { class: "km-h4" }, "Decisions so far"), this.list),
    );
  }

  setRun(loop) {
    this.all = runs(loop.looks.filter(([, , mark]) => mark !== "·"));
    this.shown = this.drawn = "";
  }

  draw(look, t) {
    const key = JSON.stringify(look);
    if (key !== this.drawn) {
      this.drawn = key;
      put(
        this.when,
        "text",
        look ? `${look.key.replace(/^default\//, "")}, ${seconds(look.at, 3)} s` : "",
      );
      put(
        this.says,
        "text",
        look ? `${look.mark} ${look.says}` : "It has not looked at anything yet.",
      );
      this.wrote.replaceChildren(
        ...(look ? look.wrote : []).map(([mark, words, error]) =>
          h(
            "li",
            { class: error ? "km-loop-refused" : "" },
            `${mark} ${words}${error ? `: ${error}` : ""}`,
          ),
        ),
      );
    }
    this.drawPast(t);
  }

  drawPast(t) {
    const n = upto(this.all, t, (run) => run.ends[0]),
      rows = this.all.slice(Math.max(0, n - SHOWN), n).map((run) => [run, upto(run.ends, t)]),
      key = JSON.stringify(rows);
    if (key === this.shown) return;
    this.shown = key;
    const row = ([run, times]) =>
      h(
        "li",
        { class: run.mark === "✕" ? "km-loop-refused" : "" },
        button(`${seconds(run.at, 2)} s`, () => this.go(run.at)),
        h("i", { title: WORDS[run.mark] }, run.mark),
        h("span", {}, run.says, times > 1 && h("b", {}, ` ${times} times`)),
      );
    this.list.replaceChildren(
      ...(rows.length ? rows.map(row) : [h("li", {}, h("span", {}, "none"))]),
    );
  }
}

/** Looks that came to the same, one after the other, as one. */
function runs(looks) {
  const found = [];
  for (const [at, says, mark, end] of looks) {
    const last = found[found.length - 1];
    if (end === null) continue;
    if (last && last.says === says && last.mark === mark) last.ends.push(end);
    else found.push({ at, says, mark, ends: [end] });
  }
  return found;
}

// Election curves: how many of many elections are over after so many milliseconds, for a few ranges of timeouts that were
// recorded, and for the reader's own range, whose curve builds while the simulator counts.
// Model: run {header, curves: [{timeout, count, times (quantiles), half, mean, most}]}, kernel, caption, options.
var render = (() => {
  "use strict";
  const { keepKeys, h, s, put, button, clamp } = kmCommon;
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9"], DASHES = ["", "7 3", "2 3", "9 3 2 3", "4 2", "1 2"];
  const LOW = 10, HIGH = 20000, CHUNK = 25, MANY = 1000, NEVER = 15000;
  const name = ([low, high]) => `${low}–${high}`;
  const ms = (v) => (v >= NEVER ? "15 s or more" : `${v < 100 ? v.toFixed(v % 1 ? 1 : 0) : Math.round(v)} ms`);

  /** What is said of a sample: its quantiles. */
  function facts(timeout, sample) {
    const times = sample.slice().sort((a, b) => a - b), at = (p) => times[Math.min(times.length - 1, Math.floor(p * times.length))];
    return { timeout, count: times.length, times, half: at(0.5), mean: times.reduce((a, b) => a + b, 0) / times.length, most: at(0.99) };
  }

  function widget({ model, el }) {
    const recorded = model.get("run").curves, options = model.get("options") || {}, live = () => model.get("kernel") !== "recording" || options.live !== false;
    const uid = "kmc" + Math.random().toString(36).slice(2, 7), shown = new Set(recorded.map((c) => name(c.timeout)));
    let mine = null, sample = [], asked = null, wanted = 0, ids = 0, next = 0, timer = 0, W = 0;

    const head = h("b", { class: "km-head" }), second = h("span", { class: "km-second" }), svg = s("svg", { class: "km-svg", role: "img" });
    const status = h("p", { class: "km-status", role: "status" }), voice = h("p", { class: "km-sr", "aria-live": "polite" });
    const chips = recorded.map((c, i) => button(name(c.timeout), () => { const n = name(c.timeout); if (!shown.delete(n)) shown.add(n); draw(); }, { class: "km-b km-chip-b", style: `border-left:5px solid ${COLOURS[i % COLOURS.length]}` }));
    const slider = (label, value, min, max) => {
      const out = h("output", {}), input = h("input", { type: "range", min, max, step: 1, value, oninput: () => { turn(); again(); } });
      input.id = `${uid}-${label.replace(/ /g, "-")}`;
      return { input, out, node: h("div", { class: "km-knob" }, h("div", {}, h("label", { for: input.id }, label), " ", out), input) };
    };
    const low = slider("wait at least", 150, 10, 500), more = slider("and by chance up to", 50, 0, 300);
    const go = button("", () => (wanted ? stop() : run()), { class: "km-b km-main-b" });
    const table = h("div", { class: "km-table", hidden: true, role: "group", "aria-label": "The curves as a table", tabindex: "0" });
    const bTable = button("Table", () => { table.hidden = !table.hidden; bTable.setAttribute("aria-expanded", String(!table.hidden)); if (!table.hidden) table.focus(); }, { "aria-expanded": "false" });
    const knobs = h("div", { class: "km-knobs" }, low.node, more.node, go);
    const root = h("div", { class: "km km-election-curves km-thin", role: "group", "aria-label": "election curves", tabindex: "-1" },
      h("div", { class: "km-say" }, h("div", { class: "km-true" }, h("p", { class: "km-now-line" }, head), second)), h("div", { class: "km-pic" }, svg),
      h("div", { class: "km-bar" }, h("div", { class: "km-ctl", role: "group", "aria-label": "ranges of timeouts, in milliseconds" }, h("span", { class: "km-lab" }, "timeouts, ms"), chips, h("span", { class: "km-sp" }), bTable), knobs, status), table, voice, h("p", { class: "km-cap" }, model.get("caption") || ""));
    el.append(root);
    keepKeys(root);

    const range = () => [+low.input.value, +low.input.value + +more.input.value];
    function turn() {
      const [from, to] = range();
      put(low.out, "text", `${from} ms`); put(more.out, "text", `${to - from} ms more`);
      low.input.setAttribute("aria-valuetext", `at least ${from} milliseconds`); more.input.setAttribute("aria-valuetext", `up to ${to} milliseconds`);
      put(go, "text", wanted ? `Stop (${sample.length} of ${MANY})` : `Run 1,000 × ${from}–${to} ms${model.get("kernel") === "recording" ? ` · ${options.size || "6 MB"}` : ""}`);
    }
    /** A moved slider begins anew, where the simulator runs already. */
    function again() {
      if (model.get("kernel") === "recording") { status.textContent = "Run loads the simulator into this page, once."; return; }
      clearTimeout(timer); timer = setTimeout(run, 250);
    }
    function run() { asked = range(); sample = []; next = 0; wanted = MANY; ids++; ask(); turn(); }
    function stop() { wanted = 0; ids++; turn(); }
    function ask() {
      if (model.get("kernel") === "recording") { model.send({ op: "golive" }); return; }
      const n = Math.min(CHUNK, wanted);
      model.send({ op: "elections", id: `c${ids}`, timeout: asked, seeds: [next, next + n] });
      next += n;
    }
    function heard(m) {
      if (m.op === "status") { status.textContent = m.text; return; }
      if (m.op === "error") { stop(); status.textContent = m.error; return; }
      if (m.op !== "elections" || m.id !== `c${ids}` || !wanted) return;
      sample.push(...m.times.map((x) => x ?? NEVER)); wanted -= m.times.length; mine = facts(asked, sample);
      status.textContent = ""; draw(); turn();
      if (wanted > 0) ask(); else voice.textContent = head.textContent;
    }

    // ---- drawing -----------------------------------------------------------------------------------------------
    const height = 300, left = 46, right = 16, top = 14, foot = 40;
    const X = (v) => left + ((Math.log10(clamp(v, LOW, HIGH)) - 1) / (Math.log10(HIGH) - 1)) * (W - left - right), Y = (p) => top + (1 - p) * (height - top - foot);
    function draw() {
      W = root.clientWidth < 620 ? 360 : 700;
      const word = (x, y, text, anchor, cls = "km-mute") => s("text", { x, y, "text-anchor": anchor, class: cls }, text);
      const kids = [0, 25, 50, 75, 100].flatMap((p) => [s("path", { class: "km-grid", d: `M${left} ${Y(p / 100)}H${W - right}` }), word(left - 6, Y(p / 100) + 4, `${p} %`, "end")]);
      for (const v of W < 500 ? [10, 100, 1000, 10000] : [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]) kids.push(s("path", { class: "km-grid", d: `M${X(v)} ${Y(0)}v5` }), word(X(v), Y(0) + 18, v.toLocaleString("en"), "middle"));
      kids.push(word((left + W - right) / 2, height - 6, "milliseconds without a leader", "middle"));
      const visible = recorded.map((c, i) => ({ c, i })).filter(({ c }) => shown.has(name(c.timeout)));
      visible.forEach(({ c, i }, k) => kids.push(...curve(c, COLOURS[i % COLOURS.length], DASHES[i % DASHES.length], 0.9 - (0.62 * k) / Math.max(1, visible.length - 1 || 1))));
      if (mine) kids.push(...curve(mine, "currentColor", "", 0.97, true));
      chips.forEach((b, i) => put(b, "aria-pressed", String(shown.has(name(recorded[i].timeout)))));
      put(svg, "viewBox", `0 0 ${W} ${height}`); svg.replaceChildren(...kids);
      say(); fillTable();
    }
    function curve(c, colour, dash, label, bold) {
      const n = c.times.length, at = (p) => c.times[Math.min(n - 1, Math.floor(p * n))], pts = [];
      for (let p = 0.5 / 80; p < 1; p += 1 / 80) pts.push(`${X(at(p)).toFixed(1)} ${Y(p).toFixed(1)}`);
      const text = s("text", { x: X(at(label)) + 7, y: Y(label) + 12, class: "km-curve-t" }, s("tspan", { style: `fill:${bold ? "var(--ink)" : colour}` }, "▬ "), name(c.timeout));
      return [s("path", { d: "M" + pts.join("L"), class: "km-curve", style: `stroke:${bold ? "var(--ink)" : colour};stroke-width:${bold ? 3 : 2}`, "stroke-dasharray": dash || null }), text];
    }
    const all = () => [...recorded, ...(mine ? [mine] : [])];
    function say() {
      const c = mine || recorded[recorded.length - 1];
      put(head, "text", `${name(c.timeout)} ms: half of ${c.count.toLocaleString("en")} elections within ${ms(c.half)}`); put(second, "text", `99 of 100 within ${ms(c.most)}`);
      put(svg, "aria-label", all().map((x) => `${name(x.timeout)} ms: half within ${ms(x.half)}, 99 of 100 within ${ms(x.most)}`).join("; "));
    }
    function fillTable() {
      table.replaceChildren(h("table", {}, h("caption", {}, "Milliseconds without a leader"), h("thead", {}, h("tr", {}, ["timeouts, ms", "elections", "half within", "mean", "99 of 100 within"].map((x) => h("th", { scope: "col" }, x)))),
        h("tbody", {}, all().map((c) => h("tr", { class: "km-past" }, [name(c.timeout), String(c.count), ms(c.half), ms(c.mean), ms(c.most)].map((x) => h("td", {}, x)))))));
    }
    function onKernel() { if (model.get("kernel") !== "recording") status.textContent = "The simulator runs in this page. Move a slider."; turn(); if (wanted) ask(); }
    model.on("msg:custom", heard); model.on("change:kernel", onKernel);
    const watch = window.ResizeObserver ? new ResizeObserver(() => { if (W !== (root.clientWidth < 620 ? 360 : 700)) draw(); }) : null;
    knobs.hidden = !live();
    draw(); turn();
    if (watch) watch.observe(root);
    return () => { clearTimeout(timer); if (watch) watch.disconnect(); model.off("msg:custom", heard); model.off("change:kernel", onKernel); };
  }
  return widget;
})();
export default { render };

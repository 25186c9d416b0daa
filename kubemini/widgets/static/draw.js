// Drawing: what can be chosen, points along lines, marks of outcomes, the meter of the quorum.
import { look, quorum } from "./facts.js";
import { clamp, h, put, s, uid } from "./kit.js";

/** An SVG group that can be chosen by mouse, touch and key: its drawing, and over it the button that carries the name. */
export function choosable(ctl, name, ...kids) {
  const pick = () => ctl.select(name, true),
    frame = kids.find((k) => /km-(card|chip|pod-c)/.test(k.getAttribute("class") || ""));
  const size = Object.fromEntries(
    ["x", "y", "width", "height", "rx", "cx", "cy", "r"].map((k) => [k, frame.getAttribute(k)]),
  );
  if (size.height && size.height < 32) {
    size.y -= (32 - size.height) / 2;
    size.height = 32;
  } // room for a finger
  const hit = s(frame.tagName, {
    ...size,
    class: "km-hit",
    role: "button",
    tabindex: "0",
    "data-name": name,
    onclick: pick,
    onkeydown: (ev) => {
      if (ev.key === "Enter" || ev.key === " ") {
        ev.preventDefault();
        pick();
      }
    },
  });
  const g = s("g", {}, s("g", { "aria-hidden": "true", class: "km-in" }, ...kids), hit);
  g.hit = hit;
  return g;
}
export const hatch = (id) =>
  s(
    "defs",
    {},
    s(
      "pattern",
      { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      s("rect", { width: 6, height: 6, class: "km-hatch0" }),
      s("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "km-hatch1" }),
    ),
  );
/** A point a share *f* along a polyline. */
export function along(pts, f) {
  let total = 0;
  const len = [];
  for (let i = 1; i < pts.length; i++)
    total += len[i] = Math.hypot(pts[i][0] - pts[i - 1][0], pts[i][1] - pts[i - 1][1]);
  let rest = clamp(f, 0, 1) * total;
  for (let i = 1; i < pts.length; i++) {
    if (rest <= len[i] || i === pts.length - 1) {
      const k = len[i] ? rest / len[i] : 0;
      return [
        pts[i - 1][0] + (pts[i][0] - pts[i - 1][0]) * k,
        pts[i - 1][1] + (pts[i][1] - pts[i - 1][1]) * k,
      ];
    }
    rest -= len[i];
  }
  return pts[0];
}
/** Points on a cubic curve. */
export const curve = (a, b, c, d, n = 18) =>
  Array.from({ length: n + 1 }, (_, i) => {
    const u = i / n,
      v = 1 - u;
    return [0, 1].map(
      (k) => v * v * v * a[k] + 3 * v * v * u * b[k] + 3 * v * u * u * c[k] + u * u * u * d[k],
    );
  });
export const path = (pts) => "M" + pts.map((p) => p.map((x) => x.toFixed(1)).join(" ")).join("L");
/** Outcome marks: ● ok, ✕ failed, ? unknown, small blue dot under way. */
export function dot(x, y, kind, r = 4.5) {
  if (kind === "failed" || kind === "lost")
    return s("path", { class: "km-x", d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` });
  if (kind === "unknown")
    return s(
      "g",
      {},
      s("circle", { class: "km-unk", cx: x, cy: y, r: 7 }),
      s("text", { class: "km-unk-t", x, y: y + 3.8, "text-anchor": "middle" }, "?"),
    );
  return s("circle", { class: "km-dot-" + kind, cx: x, cy: y, r });
}

export function meter() {
  const words = h("div", { class: "km-quorum" }),
    bars = h("div", { class: "km-meter", "aria-hidden": "true" });
  const node = h("section", {}, h("div", { class: "km-h4" }, "Quorum"), words, bars);
  return {
    node,
    draw(st) {
      const q = quorum(st),
        spare = q.together - q.need;
      put(
        words,
        "text",
        q.up > q.together && q.members.length > 1
          ? `${q.up} up, ${q.together} can talk to each other, ${q.need} needed`
          : `${q.up} up, ${q.need} needed: ${spare < 0 ? "no writes" : spare === 0 ? "none may fail now" : `${spare} more may fail`}`,
      );
      node.classList.toggle("km-lost", spare < 0);
      while (bars.children.length < q.members.length) bars.append(h("i"));
      while (bars.children.length > q.members.length) bars.lastChild.remove();
      q.members.forEach((m, i) => put(bars.children[i], "class", "km-m-" + look(st, m).cls));
    },
  };
}
/** Clear a picture for a new run: gives a function that puts its layers in; what had the focus has it again. */
export function canvas(svg, width, height, words) {
  const id = uid(),
    active = document.activeElement;
  const held = svg.contains(active) && active.dataset.name;
  put(svg, "viewBox", `0 0 ${width} ${height}`);
  put(svg, "aria-label", words);
  svg.style.setProperty("--km-hatch", `url(#${id})`);
  return (...layers) => {
    svg.replaceChildren(hatch(id), ...layers);
    const again = held && svg.querySelector(`[data-name="${CSS.escape(held)}"]`);
    if (again) again.focus({ preventScroll: true });
  };
}
/** A small cross at a point, or nothing. */
export const cross = (on, [x, y]) => (on ? `M${x - 4} ${y - 4}l8 8m0-8l-8 8` : "M0 0");
/** What is read out of something that can be chosen. */
export function labelled(g, pressed, words) {
  put(g.hit, "aria-pressed", String(pressed));
  put(g.hit, "aria-label", words);
}

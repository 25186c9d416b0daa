// A run as a call in Python, and a moment as a link.
import { SECOND, seconds } from "./kit.js";

// ---- as Python, as a link ----------------------------------------------------------------------------------
export const py = (v) =>
  typeof v === "number" ? (Number.isInteger(v) ? v.toFixed(1) : String(v)) : JSON.stringify(v);
export function asPython(header) {
  const rows = (header.commands || []).map(
    (c) => `(${[py(c[0]), ...c.slice(1).map((x) => JSON.stringify(x))].join(", ")})`,
  );
  const list = rows.length > 1 ? `[\n    ${rows.join(",\n    ")},\n]` : `[${rows.join("")}]`;
  const values = Object.entries(header.params || {}).map(
    ([k, v]) =>
      `${JSON.stringify(k)}: ${typeof v === "boolean" ? (v ? "True" : "False") : JSON.stringify(v)}`,
  );
  return `run(${JSON.stringify(header.scenario + (header.source ? ".yaml" : ""))}, seed=${header.seed}${rows.length ? ", commands=" + list : ""}${values.length ? `, params={${values.join(", ")}}` : ""})`;
}
export const asHash = (id, t, header) =>
  "#" +
  [
    id,
    "t=" + seconds(t),
    "seed=" + header.seed,
    "until=" + header.until / SECOND,
    ...Object.entries(header.params || {}).map(
      ([k, v]) => `p=${k},${encodeURIComponent(JSON.stringify(v))}`,
    ),
    ...(header.commands || []).map(
      (c) => "c=" + c.map((x) => encodeURIComponent(x).replace(/%2C/gi, "+")).join(","),
    ),
  ].join(";");

// URL rules: a reader types a URL; which path of an Ingress or match of an HTTPRoute decides, which lost, and why.
// Model: run {header, apis: [{name, rows: [{where, to, hosts, kind, path, method, headers, query}]}], urls: [{url,
// method, headers}]}, caption. Nothing is recorded but the rules: what becomes of a URL is judged as it is typed.
import {
  attach,
  button,
  captionOf,
  h,
  headings,
  put,
  sentences,
  shell,
  tableBox,
  textTable,
  uid,
} from "../../kit.js";
import { asked, headersOf, judged } from "../../urls/judging.js";

const MARKS = { decides: "●", lost: "○", no: "–" };
const WORDS = { decides: "decides", lost: "lost", no: "does not fit" };
const METHODS = ["GET", "POST", "PUT", "DELETE"];

const sent = (one) =>
  Object.entries(one.headers)
    .map((pair) => pair.join(": "))
    .join(", ");
const example = (one) =>
  [one.method === "GET" ? "" : one.method, one.url, sent(one)].filter(Boolean).join(" ");

class UrlRules {
  constructor(model, el) {
    const run = model.get("run");
    Object.assign(this, { model, apis: run.apis, urls: run.urls, api: run.apis[0] });
    this.uid = uid();
    this.parts();
    attach(el, this.root, model);
    this.fill(this.urls[0]);
    this.draw();
  }

  // -- the elements
  parts() {
    Object.assign(this, headings());
    this.list = h("ol", { class: "km-walk", "aria-label": "the rules, in their order" });
    [this.table, this.bTable] = tableBox("The rules as a table");
    this.url = h("input", { type: "text", spellcheck: "false", autocapitalize: "off" });
    this.method = h(
      "select",
      {},
      METHODS.map((method) => h("option", { value: method }, method)),
    );
    this.headers = h("input", { type: "text", spellcheck: "false", autocapitalize: "off" });
    for (const field of [this.url, this.method, this.headers])
      field.addEventListener("input", () => this.turn());
    this.kinds = this.apis.map((api) => button(api.name, () => this.turn(() => (this.api = api))));
    this.root = this.assembled();
  }

  labelled(label, field, kind) {
    field.id = `${this.uid}-${kind}`;
    return h(
      "span",
      { class: `km-field km-field-${kind}` },
      h("label", { for: field.id }, label),
      field,
    );
  }

  assembled() {
    const given = this.urls.map((one) =>
      button(example(one), () => this.turn(() => this.fill(one))),
    );
    return shell(
      "url-rules",
      "URL rules",
      sentences(this.head, this.second),
      h("div", { class: "km-pic" }, this.list),
      h(
        "div",
        { class: "km-bar" },
        h(
          "div",
          { class: "km-ctl", role: "group", "aria-label": "the request" },
          this.labelled("method", this.method, "method"),
          this.labelled("URL", this.url, "url"),
          this.labelled("headers", this.headers, "headers"),
        ),
        h(
          "div",
          { class: "km-ctl", role: "group", "aria-label": "rules, and examples" },
          this.kinds,
          h("span", { class: "km-sp" }),
          this.bTable,
        ),
        h("div", { class: "km-ctl", role: "group", "aria-label": "examples" }, given),
      ),
      this.table,
      this.voice,
      captionOf(this.model),
    );
  }

  fill(one) {
    this.url.value = one.url;
    this.method.value = one.method;
    this.headers.value = sent(one);
  }

  turn(change = () => {}) {
    change();
    this.draw();
    this.voice.textContent = `${this.head.textContent}. ${this.second.textContent}`;
  }

  // -- what is shown
  draw() {
    const { rows, name } = this.api,
      request = asked(this.url.value, this.method.value, headersOf(this.headers.value));
    const fates = judged(rows, name, request),
      chosen = rows[fates.findIndex(([fate]) => fate === "decides")];
    this.kinds.forEach((b) => put(b, "aria-pressed", String(b.textContent === name)));
    const what = `${request.method} ${request.hostname || "(no host)"}${request.path}`;
    put(this.head, "text", chosen ? `${what} goes to ${chosen.to}` : `${what} is answered 404`);
    put(this.second, "text", chosen ? `${chosen.where} decides` : "no rule fits");
    this.list.replaceChildren(...rows.map((row, i) => this.row(row, ...fates[i])));
    const cells = rows.map((row, i) => [this.words(row), row.to, WORDS[fates[i][0]], fates[i][1]]);
    this.table.replaceChildren(
      textTable("What became of each rule", ["rule", "to", "fate", "why"], cells),
    );
  }

  /** A rule in one line: hosts, path, and what else it asks for. */
  words(row) {
    if (row.kind === "default") return "whatever no rule takes";
    const more = [...row.headers, ...row.query].map((want) => `${want.name}=${want.value}`);
    const kind = this.api.name === "Ingress" ? row.kind.replace("Path", "") : row.kind;
    const hosts = row.hosts.map((host) => host || "*").join(" ");
    return [row.method, hosts, kind, row.path, ...more].filter(Boolean).join(" ");
  }

  row(row, fate, why) {
    const said = why ? `${WORDS[fate]}: ${why}` : WORDS[fate];
    return h(
      "li",
      { class: `km-url-rule km-url-${fate}`, "aria-current": fate === "decides" ? "true" : null },
      h("span", { class: "km-url-mark", "aria-hidden": "true" }, MARKS[fate]),
      h("code", {}, this.words(row)),
      h("span", { class: "km-to" }, `→ ${row.to}`),
      h("span", { class: "km-why" }, said),
    );
  }
}

function render({ model, el }) {
  const made = new UrlRules(model, el);
  return () => made.root.remove();
}
export default { render };

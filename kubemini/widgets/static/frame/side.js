// Beside the picture: what is selected, what can be done to it, and what happened.
import { actionsFor } from "../actions.js";
import { button, h, put, seconds } from "../kit.js";

const SHOWN = 7; // rows of what happened

export class Side {
  constructor(widget) {
    Object.assign(this, { widget, told: "", said: "", offered: null, extra: null });
  }

  /** What can be done is made anew at the next drawing. */
  renew() {
    this.offered = this.told = null;
  }

  draw(st) {
    const { log } = this.widget.parts,
      fresh = this.drawLog(),
      moved = this.drawSelected(st) || fresh;
    if (!moved) return;
    log.classList.toggle("km-more-above", log.scrollHeight > log.clientHeight + 1);
    log.scrollTop = log.scrollHeight; // the newest stays in sight
  }

  /** Whether the list is another. */
  drawLog() {
    const { past, parts, t } = this.widget,
      n = past.happened(t),
      key = `${n}:${past.rows.length}`;
    if (this.told === key) return false;
    this.told = key;
    const rows = past.rows.slice(Math.max(0, n - SHOWN), n);
    const row = (r, i) =>
      h(
        "li",
        i === rows.length - 1 ? { class: "km-now", "aria-current": "true" } : {},
        h("time", {}, seconds(r.at)),
        h("span", {}, h("b", {}, r.who), " ", r.words),
      );
    const none = () =>
      h("li", {}, h("time", {}, "0.00"), h("span", {}, "Nothing yet. Press Play."));
    parts.log.replaceChildren(...(rows.length ? rows.map(row) : [none()]));
    for (const tr of parts.table.querySelectorAll("tbody tr"))
      tr.classList.toggle("km-past", +tr.dataset.i < n);
    return true;
  }

  /** Whether what can be done is other than before. */
  drawSelected(st) {
    const { widget } = this,
      { past, parts, sel, view } = widget,
      [title, ...rest] = widget.describe(sel, st),
      lines = rest.filter(Boolean);
    put(parts.title, "text", title);
    if (this.said !== lines.join("\n")) {
      this.said = lines.join("\n");
      parts.what.replaceChildren(...lines.map((x) => h("p", {}, x)));
    }
    const list = widget.locked()
      ? []
      : actionsFor(sel, st, past.topology).filter((a) => !(view.heals && a.action === "heal"));
    const key = JSON.stringify([
      sel,
      list,
      widget.canLive(),
      widget.locked(),
      view.state ? view.state(sel, st) : 0,
    ]);
    if (this.offered === key) return false;
    this.offered = key;
    this.drawActs(list);
    this.drawMore(st);
    this.remark(list);
    return true;
  }

  drawActs(list) {
    const { widget } = this,
      { acts, root } = widget.parts,
      held = acts.contains(document.activeElement) && document.activeElement.textContent;
    const looks = (a) => "km-b" + (a.main ? " km-main-b" : a.danger ? " km-danger" : "");
    const act = (a) =>
      button(a.label, () => widget.act(a), {
        class: looks(a),
        "data-action": a.action,
        title: [a.title, a.key && `key: ${a.key[0]}`].filter(Boolean).join("; "),
      });
    acts.replaceChildren(...(widget.canLive() ? list.map(act) : []));
    if (held)
      (
        [...acts.children].find((x) => x.textContent === held) ||
        acts.firstElementChild ||
        root
      ).focus();
  }

  drawMore(st) {
    const { widget } = this,
      { more } = widget.parts,
      { sel, view } = widget;
    if (more.contains(document.activeElement) && this.extra === sel) return;
    this.extra = sel;
    const found = widget.able() && view.more ? view.more(sel, st) : null;
    more.replaceChildren(...(found ? [found] : []));
  }

  remark(list) {
    const { widget } = this;
    const words = widget.locked()
      ? "Lock in your prediction first. Then you can break things."
      : !widget.canLive()
        ? "This copy of the book plays recordings only: it was built without the simulator for the browser."
        : widget.kernel() === "recording" && list.length
          ? "The first action loads the simulator into this page, once."
          : "";
    if (words) widget.parts.acts.append(h("small", {}, words));
  }
}

// etcd desk: the members in a ring, their logs and roles, the messages between them, and what clients were told.
import { drawKeys, drawLog, drawOutcomes, drawRoom } from "../desk/boxes.js";
import { alarmed, chores } from "../desk/chores.js";
import { Knife } from "../desk/knife.js";
import { Ring } from "../desk/ring.js";
import { along, canvas, choosable, cross, dot, labelled, meter, path } from "../draw.js";
import { alive, apart, isCut, look } from "../facts.js";
import { widget } from "../frame/frame.js";
import { bytes, fit, h, plural, put, s, seconds, upto, width } from "../kit.js";

const SAY = {
  MsgApp: "append",
  MsgVote: "vote?",
  MsgPreVote: "pre-vote?",
  MsgSnap: "snapshot",
  MsgTimeoutNow: "your turn",
  MsgProp: "proposal",
  MsgReadIndex: "read index",
  MsgTransferLeader: "hand over",
};
const hostOf = (st, m) => (st.programs[m] || {}).host;

class EtcdDesk {
  constructor(ctl) {
    this.ctl = ctl;
    this.meter = meter();
    this.svg = s("svg", { class: "km-svg", role: "group" });
    this.knife = new Knife(ctl, this.svg);
    this.node = h("div", { class: "km-drawing" }, this.svg, this.knife.bar);
    this.keysTitle = h("div", { class: "km-h4" });
    this.keysList = h("ul", { class: "km-kv" });
    this.answers = h("ul", { class: "km-out" });
    const told = h(
      "section",
      {},
      h("div", { class: "km-h4" }, "What clients were told"),
      this.answers,
    );
    this.under = [
      h("div", { class: "km-under" }, h("section", {}, this.keysTitle, this.keysList), told),
    ];
    this.top = [this.meter.node];
    this.keys = [["x", "choose the sides of a cut", () => ctl.able() && this.knife.choose()]];
    this.heals = true;
  }

  has(name) {
    return !!(this.ring && this.ring.members[name]);
  }
  giveUp() {
    return this.knife.giveUp();
  }
  more(sel, st) {
    return this.has(sel) ? chores(this.ctl, sel, st, this.saved) : null;
  }
  state(sel, st) {
    return [
      (st.members[sel] || {}).role,
      Object.keys(st.members).some((m) => alive(st, m)),
      alarmed(st),
      this.saved,
    ];
  }

  first(history) {
    const named = history.commands.find((x) => this.has(x.args[0]));
    return named ? named.args[0] : Object.keys(this.ring.members)[0];
  }

  // -- the elements, once a run
  setRun(history, narrow) {
    const asked = history.ended.filter((r) => r.kind !== "service");
    this.history = history;
    this.told = asked.length ? asked : history.ended;
    this.backups = this.told
      .filter((r) => r.verb === "snapshot save" && r.outcome === "ok")
      .map((r) => r.at);
    this.ring = new Ring(history, narrow);
    this.member = {};
    const { members, W, H } = this.ring,
      layers = canvas(
        this.svg,
        W,
        H,
        `etcd, ${plural(Object.keys(members).length, "member")} in a ring`,
      );
    const back = s("g", { "aria-hidden": "true" }),
      cards = s("g");
    this.dots = s("g", { "aria-hidden": "true", class: "km-dots" });
    this.wires(back);
    for (const [m, b] of Object.entries(members)) cards.append(this.card(m, b));
    layers(back, cards, this.dots, this.knife.setRun(this.ring));
  }

  wires(back) {
    this.pairs = this.ring.pairs.map((p) => {
      const pts = this.ring.between(p.a, p.b);
      return {
        ...p,
        pts,
        e: s("path", { class: "km-wire", d: path(pts) }),
        x: s("path", { class: "km-x" }),
      };
    });
    for (const { e, x } of this.pairs) back.append(e, x);
    this.big = null;
    if (!this.ring.centre) return;
    const [x, y] = this.ring.centre;
    this.big = s("text", { class: "km-big", x, y, "text-anchor": "middle" });
    this.small = s("text", { class: "km-mute", x, y: y + 19, "text-anchor": "middle" });
    back.append(this.big, this.small);
  }

  card(m, b) {
    const { w, h: high } = this.ring,
      text = (cls, x, y, anchor) =>
        s("text", { class: cls, x: b.x + x, y: b.y + y, "text-anchor": anchor });
    const u = (this.member[m] = { b, log: s("g", {}), room: s("g", {}) });
    u.title = text("km-h", 12, 20, "start");
    u.right = text("km-mute", w - 12, 20, "end");
    u.info = text("km-mute", 12, 37, "start");
    const halo = s("rect", {
      class: "km-pulse",
      x: b.x - 2,
      y: b.y - 2,
      width: w + 4,
      height: high + 4,
      rx: 15,
    });
    const chip = s("rect", { class: "km-chip", x: b.x, y: b.y, width: w, height: high, rx: 13 });
    u.g = choosable(this.ctl, m, halo, chip, u.title, u.right, u.info, u.log, u.room);
    return u.g;
  }

  // -- a moment
  draw({ st, t, fly, sel }) {
    this.meter.draw(st);
    this.knife.draw(st);
    for (const [m, u] of Object.entries(this.member)) this.drawMember(st, m, u, sel);
    const leads = Object.keys(this.member).filter((m) => look(st, m).cls === "leader");
    const lead = leads.sort((a, b) => st.members[b].term - st.members[a].term)[0];
    this.drawCentre(st, lead);
    for (const p of this.pairs) drawPair(st, p, lead);
    this.drawDots(fly);
    this.drawBelow(st, t);
  }

  drawMember(st, m, u, sel) {
    const { w } = this.ring,
      e = st.members[m],
      lk = look(st, m),
      far = apart(st, m),
      mark = lk.mark ? lk.mark + " " : "";
    const slow = (st.hosts[hostOf(st, m)] || {}).slow,
      still = lk.cls === "spare" || lk.cls === "down",
      term = still ? "" : `term ${e.term}`;
    const title = `${mark}${m} ${lk.word}`,
      roomy = width(title, 13.4) + width(term, 11) + 32 <= w,
      right = roomy ? term : "";
    put(u.g, "class", `km-pick km-chipg km-k-etcd km-${lk.cls}${sel === m ? " km-sel" : ""}`);
    put(u.title, "text", fit(w - 32 - width(right, 11), 13.4, title, `${mark}${m}`));
    put(u.right, "text", right);
    const first = roomy || !term ? "" : term + " · ",
      flag = far.length ? " · ✕ cut" : slow ? " · slow disk" : "";
    const lines = [
      `${still ? "disk: " : ""}${first}log ${e.last} · commit ${e.commit}`,
      `${first}log ${e.last}/${e.commit}`,
      `${e.last}/${e.commit}`,
    ];
    const room = (w - 22) / (lk.cls === "leader" ? 1.1 : 1);
    put(
      u.info,
      "text",
      lk.cls === "spare" && !e.last ? "not a member" : fit(room, 11, ...lines.map((x) => x + flag)),
    );
    const alarm = st.alarms[m],
      base = e.room ? `database ${bytes(e.room.size)} of ${bytes(e.room.quota)}` : "";
    const told = [
      m,
      lk.word,
      `term ${e.term}`,
      `log ${e.last}`,
      `commit ${e.commit}`,
      far.length && "cut from " + far.join(", "),
      slow && "slow disk",
      base,
      alarm && `alarm ${alarm}`,
    ];
    labelled(u.g, sel === m, told.filter(Boolean).join(", "));
    drawLog(u, e, w);
    drawRoom(u, e.room, alarm, w);
  }

  drawCentre(st, lead) {
    if (!this.big) return;
    const terms = Object.values(st.members).map((e) => e.term);
    put(this.big, "text", lead ? `term ${st.members[lead].term}` : "no leader");
    put(this.small, "text", lead ? `★ ${lead}` : `highest term ${Math.max(0, ...terms)}`);
  }

  drawDots(fly) {
    const { ring } = this,
      kids = [],
      seen = new Set();
    for (const m of fly.messages) {
      if (!ring.members[m.from] || !ring.members[m.to]) continue;
      const [x, y] = along(ring.between(m.from, m.to), m.f),
        vote = /vote/i.test(m.type),
        key = m.from + m.type; // one label for a broadcast
      kids.push(m.lost && m.f > 0.45 ? dot(x, y, "lost") : dot(x, y, vote ? "vote" : "msg", 5));
      if (
        this.onTitle(x, y) ||
        m.f <= 0.15 ||
        m.f >= 0.85 ||
        /resp/i.test(m.type) ||
        seen.has(key) ||
        seen.size >= 4
      )
        continue;
      seen.add(key);
      kids.push(
        s(
          "text",
          { class: "km-tag-t", x: x + 8, y: y - 6 },
          `${SAY[m.type] || m.type.replace(/^Msg/, "")}${vote ? ` t${m.term}` : ""}`,
        ),
      );
    }
    this.dots.replaceChildren(...kids);
  }

  onTitle(x, y) {
    const { centre } = this.ring;
    return centre && Math.abs(x - centre[0]) < 130 && Math.abs(y - centre[1]) < 34;
  }

  drawBelow(st, t) {
    this.saved = this.backups[upto(this.backups, t) - 1];
    put(
      this.keysTitle,
      "text",
      `Keys, revision ${st.revision}${this.saved == null ? "" : ` · backup of ${seconds(this.saved)} s`}`,
    );
    drawKeys(this.keysList, st);
    drawOutcomes(
      this.answers,
      this.told,
      upto(this.told, t, (r) => r.at),
    );
  }
}

function drawPair(st, p, lead) {
  const cut = isCut(st, hostOf(st, p.a), hostOf(st, p.b)),
    on = alive(st, p.a) && alive(st, p.b) && (p.a === lead || p.b === lead);
  put(p.e, "class", "km-wire" + (cut ? " km-wire-bad" : on ? " km-wire-lead" : " km-wire-none"));
  put(p.x, "d", cross(cut, along(p.pts, 0.5)));
}

const render = ({ model, el }) =>
  widget({ model, el, name: "etcd-desk", label: "etcd desk", make: (ctl) => new EtcdDesk(ctl) });
export default { render };

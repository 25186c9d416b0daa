// etcd desk: the members in a ring, their logs and roles, the messages between them, and what clients were told.
var render = (() => {
  "use strict";
  const { MARKS, h, s, put, button, seconds, bytes, plural, width, fit, upto, alive, look, isCut, apart, meter, widget, choosable, hatch, along, path, dot } = kmCommon;
  const BOX = 17;
  const SAY = { MsgApp: "append", MsgVote: "vote?", MsgPreVote: "pre-vote?", MsgSnap: "snapshot", MsgTimeoutNow: "your turn", MsgProp: "proposal", MsgReadIndex: "read index", MsgTransferLeader: "hand over" };

  /** Where the members stand: a ring when there is room, two columns in ring order on a phone. */
  function geometry(history, narrow) {
    const members = [...(history.topology.etcd || []), ...(history.topology.spares || [])], n = members.length, G = { members: {}, W: narrow ? 360 : 700 };
    const w = (G.w = narrow ? 160 : n > 7 ? 146 : n > 5 ? 156 : 186), hh = (G.h = history.records.some((r) => r[2] === "room") ? 104 : 84);
    if (narrow) {
      const rows = Math.ceil((n - 1) / 2), step = hh + 26;
      members.forEach((m, i) => {
        const right = i >= 1 && i <= rows, row = i === 0 ? 0 : right ? i : n - i;
        G.members[m] = { x: i === 0 ? (G.W - w) / 2 : right ? G.W - w - 10 : 10, y: 14 + row * step };
      });
      G.H = 14 + (rows + 1) * step;
      G.centre = null;
    } else {
      G.H = n === 1 ? 200 : n <= 3 ? 350 : n <= 5 ? 430 : 520;
      const rx = G.W / 2 - w / 2 - 26, ry = G.H / 2 - hh / 2 - 16, cx = G.W / 2, cy = G.H / 2;
      members.forEach((m, i) => {
        const a = -Math.PI / 2 + (2 * Math.PI * i) / n, one = n === 1 ? 0 : 1, three = n === 3; // a triangle fills its box better than a circle does
        G.members[m] = { x: cx + one * rx * Math.cos(a) * (three ? 0.86 : 1) - w / 2, y: cy + one * ry * Math.sin(a) - hh / 2 + (three && i ? ry * 0.42 : 0) };
      });
      G.centre = n > 1 ? [cx, cy + (n === 3 ? 18 : 0)] : null;
    }
    for (const m of members) { const b = G.members[m]; b.mid = [b.x + w / 2, b.y + hh / 2]; }
    G.pairs = members.flatMap((a, i) => members.slice(i + 1).map((b) => ({ a, b })));
    G.between = (a, b) => edge(G, G.members[a], G.members[b]);
    return G;
  }
  /** The straight line from card to card, outside the cards. */
  function edge(G, A, B) {
    const out = (P, Q) => { const dx = Q.mid[0] - P.mid[0], dy = Q.mid[1] - P.mid[1], k = Math.min(Math.abs((G.w / 2 + 3) / (dx || 1e-9)), Math.abs((G.h / 2 + 3) / (dy || 1e-9))); return [P.mid[0] + dx * k, P.mid[1] + dy * k]; };
    return [out(A, B), out(B, A)];
  }

  // ---- cutting the network -------------------------------------------------------------------------------------
  /** Whether the lines ab and cd cross. */
  function cross([a, b], [c, d]) {
    const side = (p, q, r) => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
    return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
  }
  /** The cables to cut, as few pairs of sides: [["etcd-1", "etcd-2"], ["etcd-3"]], the smaller side first. */
  function sides(pairs) {
    const far = {}, done = new Set(), out = [];
    for (const { a, b } of pairs) { (far[a] ||= []).push(b); (far[b] ||= []).push(a); }
    const names = Object.keys(far).sort();
    for (const a of names) {
      const there = far[a].filter((b) => !done.has(a + b)).sort();
      if (!there.length) continue;
      const here = names.filter((x) => there.every((b) => far[x].includes(b) && !done.has(x + b)));
      for (const x of here) for (const b of there) done.add(x + b).add(b + x);
      out.push(here.length > there.length ? [there, here] : [here, there]);
    }
    return out;
  }

  function make(ctl) {
    const svg = s("svg", { class: "km-svg", role: "group" }), q = meter(), kvTitle = h("div", { class: "km-h4" }), kv = h("ul", { class: "km-kv" }), out = h("ul", { class: "km-out" });
    const under = h("div", { class: "km-under" }, h("section", {}, kvTitle, kv), h("section", {}, h("div", { class: "km-h4" }, "What clients were told"), out));
    const way = h("span", {}), form = h("form", { hidden: true, onsubmit: (ev) => { ev.preventDefault(); divide(); } });
    const bSides = button("Choose sides", () => choose(), { "aria-expanded": "false", title: "key: x" }), bHeal = button("Heal network", () => ctl.act({ action: "heal", args: [] }), { class: "km-b km-main-b", "data-action": "heal" });
    const bar = h("div", { class: "km-cutbar" }, way, bSides, bHeal, form), picture = h("div", { class: "km-drawing" }, svg, bar);
    let G = null, H = null, ui = null, told = [], backups = [], saved, now = null, stroke = null;

    function setRun(history, narrow) {
      H = history; told = H.ended.filter((r) => r.kind !== "service"); if (!told.length) told = H.ended;
      backups = told.filter((r) => r.verb === "snapshot save" && r.outcome === "ok").map((r) => r.at);
      G = geometry(history, narrow); ui = { member: {}, pair: [] };
      const hid = "kmh" + Math.random().toString(36).slice(2, 7), held = svg.contains(document.activeElement) && document.activeElement.dataset.name;
      put(svg, "viewBox", `0 0 ${G.W} ${G.H}`); put(svg, "aria-label", `etcd, ${plural(Object.keys(G.members).length, "member")} in a ring`); svg.style.setProperty("--km-hatch", `url(#${hid})`);
      const back = s("g", { "aria-hidden": "true" }), cards = s("g");
      ui.dots = s("g", { "aria-hidden": "true", class: "km-dots" });
      for (const p of G.pairs) { const pts = G.between(p.a, p.b), e = s("path", { class: "km-wire", d: path(pts) }), x = s("path", { class: "km-x" }); back.append(e, x); ui.pair.push({ ...p, pts, e, x }); }
      if (G.centre) { ui.big = s("text", { class: "km-big", x: G.centre[0], y: G.centre[1], "text-anchor": "middle" }); ui.small = s("text", { class: "km-mute", x: G.centre[0], y: G.centre[1] + 19, "text-anchor": "middle" }); back.append(ui.big, ui.small); }
      for (const [m, b] of Object.entries(G.members)) {
        const u = (ui.member[m] = { b, title: s("text", { class: "km-h", x: b.x + 12, y: b.y + 20 }), right: s("text", { class: "km-mute", x: b.x + G.w - 12, y: b.y + 20, "text-anchor": "end" }), info: s("text", { class: "km-mute", x: b.x + 12, y: b.y + 37 }), log: s("g", {}), room: s("g", {}) });
        u.g = choosable(ctl, m, s("rect", { class: "km-pulse", x: b.x - 2, y: b.y - 2, width: G.w + 4, height: G.h + 4, rx: 15 }), s("rect", { class: "km-chip", x: b.x, y: b.y, width: G.w, height: G.h, rx: 13 }), u.title, u.right, u.info, u.log, u.room);
        cards.append(u.g);
      }
      ui.line = s("path", { class: "km-stroke" }); ui.cables = s("path", { class: "km-wire" }); ui.hit = s("path", { class: "km-x" }); ui.knife = s("g", { "aria-hidden": "true", class: "km-dots" }, ui.cables, ui.line, ui.hit);
      svg.replaceChildren(hatch(hid), back, cards, ui.dots, ui.knife);
      form.replaceChildren(h("fieldset", {}, h("legend", {}, "One side of the cut"), Object.keys(G.members).map((m) => h("label", {}, h("input", { type: "checkbox", value: m }), m))), button("Cut", null, { type: "submit" }));
      if (held) { const e = svg.querySelector(`[data-name="${CSS.escape(held)}"]`); if (e) e.focus({ preventScroll: true }); }
    }

    function draw({ st, t, fly, sel }) {
      q.draw(st, H.topology); now = st;
      bar.hidden = !ctl.able() || !G.pairs.length; bHeal.hidden = !st.cuts.length; if (!stroke) put(way, "text", idle());
      const hostOf = (m) => (st.comp[m] || {}).host;
      let lead = null;
      for (const [m, u] of Object.entries(ui.member)) {
        const e = st.etcd[m], lk = look(st, m), far = apart(st, H.topology, m), slow = (st.host[hostOf(m)] || {}).slow, out = lk.cls === "spare", alarm = (st.alarms || {})[m];
        if (lk.cls === "leader" && (!lead || e.term > st.etcd[lead].term)) lead = m;
        const title = `${lk.mark ? lk.mark + " " : ""}${m} ${lk.word}`, term = out || lk.cls === "down" ? "" : `term ${e.term}`, roomy = width(title, 13.4) + width(term, 11) + 32 <= G.w, right = roomy ? term : "";
        put(u.g, "class", `km-pick km-chipg km-k-etcd km-${lk.cls}${sel === m ? " km-sel" : ""}`);
        put(u.title, "text", fit(G.w - 32 - width(right, 11), 13.4, title, `${lk.mark ? lk.mark + " " : ""}${m}`)); put(u.right, "text", right);
        const t1 = roomy || !term ? "" : term + " · ", disk = out || lk.cls === "down" ? "disk: " : "", flag = far.length ? " · ✕ cut" : slow ? " · slow disk" : "";
        put(u.info, "text", out && !e.last ? "not a member" : fit(G.w - 22, 11 * (lk.cls === "leader" ? 1.1 : 1), ...[`${disk}${t1}log ${e.last} · commit ${e.commit}`, `${t1}log ${e.last}/${e.commit}`, `${e.last}/${e.commit}`].map((x) => x + flag)));
        put(u.g.hit, "aria-pressed", String(sel === m)); put(u.g.hit, "aria-label", `${m}, ${lk.word}, term ${e.term}, log ${e.last}, commit ${e.commit}${far.length ? ", cut from " + far.join(", ") : ""}${slow ? ", slow disk" : ""}${e.room ? `, database ${bytes(e.room.size)} of ${bytes(e.room.quota)}` : ""}${alarm ? `, alarm ${alarm}` : ""}`);
        drawLog(u, e); drawRoom(u, e.room, alarm);
      }
      if (ui.big) { const terms = Object.values(st.etcd).map((e) => e.term); put(ui.big, "text", lead ? `term ${st.etcd[lead].term}` : "no leader"); put(ui.small, "text", lead ? `★ ${lead}` : `highest term ${Math.max(0, ...terms)}`); }
      for (const p of ui.pair) {
        const cut = isCut(st, hostOf(p.a), hostOf(p.b)), on = alive(st, p.a) && alive(st, p.b), l = on && (p.a === lead || p.b === lead);
        put(p.e, "class", "km-wire" + (cut ? " km-wire-bad" : l ? " km-wire-lead" : " km-wire-none"));
        const [x, y] = along(p.pts, 0.5); put(p.x, "d", cut ? `M${x - 4} ${y - 4}l8 8m0-8l-8 8` : "M0 0");
      }
      drawDots(st, fly); drawKeys(st, t); drawOutcomes(t);
    }
    /** The last entries as boxes with their term; solid up to the commit index, dashed beyond it. */
    function drawLog(u, e) {
      const n = Math.floor((G.w - 22) / BOX), last = e.log.slice(-n), sig = JSON.stringify([last, e.commit >= e.last ? "all" : e.commit]);
      if (u.sig === sig) return;
      u.sig = sig;
      u.log.replaceChildren(...last.flatMap(([index, term], i) => {
        const x = u.b.x + 11 + i * BOX, y = u.b.y + 47, done = index <= e.commit;
        return [s("rect", { class: done ? "km-box" : "km-box-open", x: x + 0.5, y, width: BOX - 3, height: 16, rx: 3 }), s("text", { class: "km-box-t" + (done ? " km-box-solid-t" : ""), x: x + BOX / 2 - 1, y: y + 12, "text-anchor": "middle" }, String(term))];
      }), ...(last.length ? [s("text", { class: "km-mute km-ip", x: u.b.x + 12, y: u.b.y + 77 }, String(last[0][0])), last.length > 1 ? s("text", { class: "km-mute km-ip", x: u.b.x + 9 + last.length * BOX, y: u.b.y + 77, "text-anchor": "end" }, String(last[last.length - 1][0])) : ""] : [s("text", { class: "km-mute", x: u.b.x + 12, y: u.b.y + 60 }, "empty log")]));
    }
    /** The database file in its quota: outlined what it takes on the disk, filled what is used of that. */
    function drawRoom(u, room, alarm) {
      const sig = JSON.stringify([room, alarm]);
      if (u.roomSig === sig) return;
      u.roomSig = sig;
      const x = u.b.x + 12, y = u.b.y + 85, w = G.w * 0.38, part = (n) => Math.max(1, Math.min(w, (w * n) / room.quota));
      u.room.replaceChildren(...(room ? [s("rect", { class: "km-quota", x, y, width: w, height: 9, rx: 3 }), s("rect", { class: "km-file", x, y, width: part(room.size), height: 9, rx: 3 }), s("rect", { class: "km-used", x, y, width: part(room.in_use), height: 9, rx: 3 }),
        s("text", { class: "km-ip " + (alarm ? "km-full" : "km-mute"), x: u.b.x + G.w - 12, y: y + 9, "text-anchor": "end" }, alarm ? "▲ " + alarm : fit(G.w * 0.62 - 30, 10.5, `${bytes(room.size).replace(" MiB", "")} of ${bytes(room.quota)}`, bytes(room.size)))] : []));
    }
    function drawDots(st, fly) {
      const kids = [], seen = new Set();
      for (const m of fly.messages) {
        if (!G.members[m.from] || !G.members[m.to]) continue;
        const [x, y] = along(G.between(m.from, m.to), m.f), vote = /vote/i.test(m.type);
        kids.push(m.lost && m.f > 0.45 ? dot(x, y, "lost") : dot(x, y, vote ? "vote" : "msg", 5));
        const key = m.from + m.type; // one label for a broadcast
        const onTitle = G.centre && Math.abs(x - G.centre[0]) < 130 && Math.abs(y - G.centre[1]) < 34;
        if (!onTitle && m.f > 0.15 && m.f < 0.85 && !/resp/i.test(m.type) && !seen.has(key) && seen.size < 4) { seen.add(key); kids.push(s("text", { class: "km-tag-t", x: x + 8, y: y - 6 }, `${SAY[m.type] || m.type.replace(/^Msg/, "")}${vote ? ` t${m.term}` : ""}`)); }
      }
      ui.dots.replaceChildren(...kids);
    }
    function drawKeys(st, t) {
      saved = backups[upto(backups, t) - 1];
      const rows = Object.entries(st.kv).sort((a, b) => b[1].revision - a[1].revision).slice(0, 6), sig = JSON.stringify([st.revision, saved, rows]);
      if (kv.kmKey === sig) return;
      kv.kmKey = sig; put(kvTitle, "text", `Keys, revision ${st.revision}${saved == null ? "" : ` · backup of ${seconds(saved)} s`}`);
      kv.replaceChildren(...(rows.length ? rows.map(([k, v]) => h("li", v.revision === st.revision ? { class: "km-new" } : {}, h("span", { title: k }, k), h("span", { title: v.value }, v.value), h("i", {}, "r" + v.revision))) : [h("li", {}, h("span", {}, "no keys yet"))]));
    }
    function drawOutcomes(t) {
      const n = upto(told, t, (r) => r.at), rows = told.slice(Math.max(0, n - 6), n).reverse();
      if (out.kmKey === n && out.kmRun === H) return;
      out.kmKey = n; out.kmRun = H;
      out.replaceChildren(...(rows.length ? rows.map((r) => h("li", {}, h("b", { class: "km-o-" + r.outcome }, MARKS[r.outcome]), h("i", {}, seconds(r.at)), h("span", { title: `${r.from}: ${r.verb} ${r.path}` }, `${r.verb} ${r.path.replace(/^.*\/namespaces\/[^/]+\//, "")}${r.answer != null ? " = " + r.answer : ""}`), h("span", {}, r.outcome === "ok" ? took(r) : `${r.outcome} ${took(r)}`), r.why && r.outcome !== "ok" ? h("span", { style: "grid-column:3 / -1;color:var(--mute)", title: r.why }, r.why) : null)) : [h("li", {}, h("b"), h("i", {}, ""), h("span", {}, "nothing asked yet"))]));
    }
    const took = (r) => { const ms = (r.at - r.started) / 1000; return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`; };

    const idle = () => "Draw a line across the cables to cut them" + (now.cuts.length ? "; across cut ones, and the network heals." : "."), hosts = (p) => [p.a, p.b].map((m) => (now.comp[m] || {}).host);
    const whole = (pairs) => pairs.filter((p) => !isCut(now, ...hosts(p)));
    /** The deeds that cut these cables; where all are cut already, they heal. */
    const deeds = (pairs) => { const cuts = sides(whole(pairs)); return cuts.length ? cuts.map((x) => ({ action: "cut", args: x.map((y) => y.join(",")) })) : pairs.length ? [{ action: "heal", args: [] }] : []; };
    const place = (ev) => { const m = svg.getScreenCTM().inverse(); return [m.a * ev.clientX + m.e, m.d * ev.clientY + m.f]; };
    const crossed = () => G.pairs.filter((p) => cross(stroke.line, [G.members[p.a].mid, G.members[p.b].mid]));
    function drawStroke() {
      const on = stroke && stroke.moved, hits = on ? crossed() : [], does = deeds(hits);
      svg.classList.toggle("km-cutting", !!on);
      put(ui.line, "d", on ? path(stroke.line) : "M0 0"); put(ui.cables, "d", on ? G.pairs.map((p) => path(G.between(p.a, p.b))).join("") : "M0 0");
      put(ui.hit, "d", hits.map((p) => { const [x, y] = along(G.between(p.a, p.b), 0.5); return `M${x - 4} ${y - 4}l8 8m0-8l-8 8`; }).join("") || "M0 0");
      put(way, "text", !on ? idle() : !does.length ? "Go on, across a cable." : does[0].action === "heal" ? "Let go: the network heals." : `Let go: ${does.map((d) => d.args.map((x) => x.replace(/,/g, ", ")).join(" ✕ ")).join("; ")}.`);
    }
    function drop(cut) {
      const does = cut && stroke.moved ? deeds(crossed()) : [];
      stroke = null; drawStroke();
      if (does.length) ctl.act(...does);
    }
    svg.addEventListener("pointerdown", (ev) => { if (!ev.button && ev.isPrimary && G && ctl.able()) stroke = { id: ev.pointerId, line: [place(ev), place(ev)], x: ev.clientX, y: ev.clientY, moved: false }; });
    svg.addEventListener("pointermove", (ev) => {
      if (!stroke || ev.pointerId !== stroke.id) return;
      if (!stroke.moved && Math.hypot(ev.clientX - stroke.x, ev.clientY - stroke.y) > 8) { stroke.moved = true; svg.setPointerCapture(ev.pointerId); }
      stroke.line[1] = place(ev); drawStroke();
    });
    svg.addEventListener("pointerup", (ev) => { if (!stroke) return; if (stroke.moved) { const stop = (e) => e.stopPropagation(); svg.addEventListener("click", stop, true); setTimeout(() => svg.removeEventListener("click", stop, true)); } drop(true); });
    for (const end of ["pointercancel", "lostpointercapture"]) svg.addEventListener(end, () => stroke && drop(false));

    /** The same without a pointer: who stands on one side. */
    function choose() {
      form.hidden = !form.hidden; bSides.setAttribute("aria-expanded", String(!form.hidden));
      const boxes = [...form.querySelectorAll("input")];
      if (form.hidden) bSides.focus(); else { for (const box of boxes) box.checked = box.value === ctl.sel; boxes[0].focus(); }
    }
    function divide() {
      const here = [...form.querySelectorAll("input:checked")].map((x) => x.value), pairs = whole(G.pairs.filter((p) => here.includes(p.a) !== here.includes(p.b)));
      if (pairs.length) { choose(); ctl.act(...deeds(pairs)); } else ctl.say(here.length && here.length < Object.keys(G.members).length ? "These sides are cut from each other already." : "Choose some members for one side, and leave some for the other.");
    }

    /** What an operator does: at the selected member, or when none is left. */
    const up = (st) => Object.keys(G.members).some((m) => alive(st, m)), alarmed = (st) => Object.values(st.alarms || {}).some(Boolean);
    function chores(sel, st) {
      const members = st.voters || H.topology.etcd || [], act = (label, action, args, title) => button(label, () => ctl.act({ action, args }), { title, "data-action": action });
      if (!up(st)) return saved == null ? [h("p", {}, "There is no backup to begin anew with.")] : [act("Restore from the backup", "snapshot_restore", [members.join(","), "1000000000"], "a new cluster begins with the last backup, its revision raised beyond the old one")];
      if (!alive(st, sel)) return [];
      return [st.etcd[sel].role !== "leader" && act("Make it leader", "move_leader", [sel], "etcdctl move-leader"), act("Stop", "stop", [sel], "SIGTERM: a leader hands over first"), act("Back up", "snapshot_save", [sel], "etcdctl snapshot save"), act("Compact", "compact", [], "forget what the newest revision overwrote"), act("Defragment", "defrag", [sel], "give back the room inside the database file"), alarmed(st) && act("Disarm", "alarm_disarm", [], "etcdctl alarm disarm")];
    }
    /** Put and get at the selected member, and its upkeep. */
    function more(sel, st) {
      if (!G.members[sel]) return null;
      const upkeep = h("div", { class: "km-form" }, chores(sel, st));
      if (!alive(st, sel)) return upkeep.children.length ? upkeep : null;
      const key = h("input", { value: "color", autocomplete: "off", spellcheck: "false" }), value = h("input", { value: "green", autocomplete: "off", spellcheck: "false" });
      const need = () => key.value.trim() || "color";
      return h("div", {}, h("div", { class: "km-form" }, h("label", {}, "key", key), h("label", {}, "value", value),
        button("Put", () => ctl.act({ action: "put", args: [need(), value.value, ctl.sel] })), button("Get", () => ctl.act({ action: "get", args: [need(), ctl.sel] }), { title: "linearizable: a majority confirms it" }),
        button("Get, serializable", () => ctl.act({ action: "get", args: [need(), ctl.sel, "serializable"] }), { title: "from this member alone: works without quorum, may be old" })), upkeep);
    }
    return { node: picture, heals: true, giveUp: () => (stroke ? (drop(false), true) : !form.hidden && (choose(), true)), state: (sel, st) => [(st.etcd[sel] || {}).role, up(st), alarmed(st), saved], keys: [["x", "choose the sides of a cut", () => ctl.able() && choose()]], under: [under], top: [q.node], setRun, draw, more, has: (name) => !!(G && G.members[name]), first: (history) => { const c = history.commands.find((x) => G.members[x.args[0]]); return c ? c.args[0] : Object.keys(G.members)[0]; } };
  }
  return ({ model, el }) => widget({ model, el, name: "etcd-desk", label: "etcd desk", make });
})();
export default { render };

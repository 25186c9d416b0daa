// Cluster map: hosts, programs, pods, the way in and the requests on it, all drawn from one recording.
var render = (() => {
  "use strict";
  const { LONG, h, s, put, plural, width, fit, kindOf, alive, look, isCut, offside, short, meter, base, holds, widget, choosable, hatch, along, curve, path, dot } = kmCommon;
  const mid = (b) => [b.x + b.w / 2, b.y + b.h / 2];

  // ---- where everything stands: pure geometry ----------------------------------------------------------------
  function geometry(history, narrow) {
    const { hosts } = history.topology, role = (r) => hosts.filter((x) => x.role === r), G = { hosts: [], chips: {}, pods: {}, services: {}, rules: {}, routes: {}, peers: [], lines: [] };
    const W = (G.W = narrow ? 360 : 700), pad = narrow ? 10 : 18, full = W - 2 * pad, gap = narrow ? 10 : 14;
    const chip = (name, x, y, w, hgt = 26) => (G.chips[name] = { name, x, y, w, h: hgt, kind: kindOf(name) });
    const has = (host, kind) => host.components.filter((c) => kindOf(c) === kind);

    // clients: who asks the API stands above, who visits the pods below
    const kinds = {};
    for (const r of history.requests) (kinds[r.from] ||= r.kind);
    const clients = [...new Set([...role("client").flatMap((x) => x.components), ...Object.keys(kinds).filter((c) => kindOf(c) === "client")])];
    const below = clients.filter((c) => kinds[c] === "service" || (!kinds[c] && /visitor/.test(c))), above = clients.filter((c) => !below.includes(c));
    const lb = role("lb").flatMap((x) => x.components);
    let y = 20, x = pad;
    const slot = narrow ? (full - gap * (above.length + lb.length - 1)) / Math.max(2, above.length + lb.length) : 112;
    for (const c of above) { chip(c, x, y, slot, 34); x += slot + (narrow ? gap : 18); }
    for (const c of lb) { chip(c, x, y, narrow ? slot : 124, 34); x += slot + gap; }
    G.lbNote = lb.length ? { x: narrow ? G.chips[lb[0]].x + 22 : G.chips[lb[0]].x + 134, y: narrow ? y + 50 : y + 22 } : null;
    if (above.length || lb.length) y += 34; else y -= 10;

    /** One row (wide) or stack (narrow) of host cards. *inside* places the chips and gives the card's height. */
    function cards(list, y0, inside, most = 330, left = pad, per = narrow ? 1 : list.length) {
      const room = W - pad - left, w = Math.min(most, (room - gap * (per - 1)) / per), start = left + (per === list.length ? (room - (w * per + gap * (per - 1))) / 2 : 0);
      let top = y0, bottom = y0;
      list.forEach((host, i) => {
        if (i && i % per === 0) top = bottom + gap;
        const hx = start + (i % per) * (w + gap), hgt = inside(host, hx, top, w);
        G.hosts.push({ host, x: hx, y: top, w, h: hgt }); bottom = Math.max(bottom, top + hgt);
      });
      return bottom;
    }
    const box = (name) => G.hosts.find((b) => b.host.name === name);
    function control(host, hx, hy, w) {
      const ix = hx + 11, iw = w - 22, known = new Set(); let cy = hy + 32;
      const line = (names, hgt, split) => { if (!names.length) return; names.forEach((n) => known.add(n)); const n = split ? names.length : 1, cw = (iw - 6 * (n - 1)) / n; names.forEach((c, i) => { const slim = split && n === 2 && !narrow ? 0.03 * cw : 0; chip(c, ix + (split ? i * (cw + 6 - slim) : 0), cy, cw + (i ? slim : -slim), hgt); if (!split || i === names.length - 1) cy += hgt + 6; }); };
      const api = has(host, "apiserver"), etcd = has(host, "etcd"), rest = host.components.filter((c) => !["apiserver", "etcd"].includes(kindOf(c)));
      if (narrow && etcd.length) line([...api, ...etcd], 30, true); else line(api, 26, true);
      line(rest, 26, iw >= 170);
      if (!narrow) line(etcd, 32, true);
      return cy - hy + 5;
    }
    const cps = role("control-plane"), etcds = role("etcd"), workers = role("worker");
    const busY = y + (narrow ? 24 : 26);
    if (cps.length) y = cards(cps, busY + (narrow ? 8 : 20), control);
    if (etcds.length) {
      G.etcdBus = cps.length ? y + 18 : busY;
      y = cards(etcds, y + (cps.length ? 36 : 46), (host, hx, hy, w) => { chip(has(host, "etcd")[0] || host.components[0], hx + 9, hy + 30, w - 18, 32); return 72; }, narrow ? 154 : 220, narrow ? pad + 6 : pad, narrow ? 2 : etcds.length);
    }
    const members = history.topology.etcd || [];
    if (members.length > 1 && !narrow) y += 26 + Math.min(5, members.length) * 6; else y += 14;
    G.lane = y; y += 18;

    // the way to the pods
    const names = new Set();
    for (const r of history.records) if (r[2] === "rules") names.add(base(r[3].service)); else if (r[2] === "object" && r[3].kind === "Service") names.add(r[3].name);
    names.delete("kubernetes"); names.delete("kube-dns");
    const services = [...names].slice(0, 2), sw = narrow ? (full - gap) / 2 : 132, cw = narrow ? (full - gap) / 2 : 112;
    let ly = y;
    below.forEach((c) => { chip(c, pad, ly, cw, 34); ly += 34 + 16; });
    if (narrow) { services.forEach((name, i) => (G.services[name] = { name, x: pad + i * (sw + gap), y: ly, w: sw, h: 40 })); if (services.length) ly += 50; }
    else services.forEach((name, i) => (G.services[name] = { name, x: W - pad - (services.length - i) * (sw + 10) + 10, y: 17, w: sw, h: 40 }));
    const side = below.length;

    // pods keep one place for as long as they live
    const slots = {}, most = {};
    for (const [, who, what, d] of history.records) if (what === "pod") {
      const on = who.split("@")[1] || who, taken = (slots[on] ||= {});
      if (d.state === "gone") delete taken[d.name];
      else if (!(d.name in taken)) { const used = new Set(Object.values(taken)); let k = 0; while (used.has(k)) k++; taken[d.name] = k; (G.pods[on] ||= {})[d.name] = k; most[on] = Math.max(most[on] || 0, k + 1); }
    }
    const wy = narrow ? ly + 6 : y, max = Math.max(1, ...Object.values(most));
    G.podArea = {};
    let bottom = wy;
    const order = ["kubelet", "kube-proxy", "visitor"];
    if (workers.length) bottom = cards(workers, wy, (host, hx, hy, w) => {
      const ix = hx + 10, iw = w - 20, two = (iw - 6) / 2, stack = two < 78, list = order.flatMap((k) => has(host, k));
      let k = 0;
      const place = () => { const xy = stack ? [ix, hy + 30 + k * 32, iw] : [ix + (k % 2) * (two + 6), hy + 30 + Math.floor(k / 2) * 32, two]; k++; return xy; };
      for (const c of list) { const [cx, cy, cw2] = place(); chip(c, cx, cy, cw2, 26); }
      if (services.length && has(host, "kube-proxy").length) { const [cx, cy, cw2] = place(); G.rules[host.name] = { x: cx, y: cy, w: cw2, h: 26 }; }
      const py = hy + 34 + (stack ? k : Math.ceil(k / 2)) * 32, per = Math.max(1, Math.floor(iw / 62)), rows = Math.min(3, Math.ceil(max / per));
      G.podArea[host.name] = { x: ix, y: py, w: iw / per, per, rows };
      return py - hy + rows * 54 + 4;
    }, 600, narrow || !side ? pad : pad + cw + 28, narrow ? 1 : Math.min(4, workers.length));
    G.H = Math.max(bottom, ly) + 16;

    // routes: polylines between neighbours, both to draw and for dots to travel
    const add = (a, b, pts, show) => {
      G.routes[a + ">" + b] = pts; G.routes[b + ">" + a] = pts.slice().reverse();
      if (show) { const k = pts.length - 2; if (k) G.lines.push({ pts: pts.slice(0, k + 1) }); G.lines.push({ a, b, pts: pts.slice(k) }); } // a trunk that never changes, and the last stretch
    };
    const apis = cps.flatMap((c) => has(c, "apiserver")), door = lb[0];
    for (const c of above) if (door) add(c, door, [[G.chips[c].x + G.chips[c].w, mid(G.chips[c])[1]], [G.chips[door].x, mid(G.chips[door])[1]]], true);
    for (const from of door ? [door] : above) for (const a of apis) {
      const f = G.chips[from], to = G.chips[a], card = box(history.topology.hosts.find((x2) => x2.components.includes(a)).name), fx = mid(f)[0];
      add(from, a, narrow ? [[f.x + 12, f.y + f.h], [f.x + 12, busY - 4], [4, busY - 4], [4, mid(to)[1]], [to.x, mid(to)[1]]] : [[fx, f.y + f.h], [fx, busY], [mid(card)[0], busY], [mid(card)[0], card.y]], true);
    }
    const at = (m) => G.hosts.find((b) => b.host.components.includes(m));
    for (const a of apis) for (const m of members) {
      const ca = G.chips[a], cm = G.chips[m], ba = at(a), bm = at(m);
      if (!cm) continue;
      if (ba === bm) add(a, m, narrow ? [[ca.x + ca.w, mid(ca)[1]], [cm.x, mid(cm)[1]]] : [[ca.x + ca.w + 5, mid(ca)[1]], [cm.x + cm.w + 5, mid(cm)[1]]]);
      else if (G.etcdBus) add(a, m, [[mid(ba)[0], ba.y + ba.h], [mid(ba)[0], G.etcdBus], [mid(bm)[0], G.etcdBus], [mid(bm)[0], bm.y]]);
      else add(a, m, [mid(ca), mid(cm)]);
    }
    if (etcds.length && apis.length) {
      const stubs = [...cps.map((x) => [x, box(x.name)]).filter(([, b]) => !narrow || b.y + b.h > G.etcdBus - 30).map(([x, b]) => ({ host: x.name, pts: [[mid(b)[0], G.etcdBus], [mid(b)[0], b.y + b.h]] })),
        ...etcds.map((x) => [x, box(x.name)]).filter(([, b]) => b.y < G.etcdBus + 30).map(([x, b]) => ({ host: x.name, pts: [[mid(b)[0], G.etcdBus], [mid(b)[0], b.y]] }))];
      const xs = stubs.map((q) => q.pts[0][0]);
      G.lines.push(...stubs, { pts: [[Math.min(...xs), G.etcdBus], [Math.max(...xs), G.etcdBus]] });
    }
    members.forEach((a, i) => members.slice(i + 1).forEach((b, j) => {
      const A = at(a), B = at(b); if (!A || !B) return;
      const ca = mid(G.chips[a]), cb = mid(G.chips[b]), deep = Math.min(64, 16 + 13 * (j + 1));
      const pts = narrow ? (A.x !== B.x ? [[A.x < B.x ? A.x + A.w : A.x, ca[1]], [A.x < B.x ? B.x : B.x + B.w, cb[1]]] : A.x > W / 2 || A.w > W / 2 ? curve([A.x + A.w, ca[1]], [W - 2, ca[1]], [W - 2, cb[1]], [B.x + B.w, cb[1]]) : curve([A.x, ca[1]], [2, ca[1]], [2, cb[1]], [B.x, cb[1]])) : curve([ca[0] + 8, A.y + A.h], [ca[0] + 8, A.y + A.h + deep], [cb[0] - 8, B.y + B.h + deep], [cb[0] - 8, B.y + B.h]);
      add(a, b, pts); G.peers.push({ a, b, pts });
    }));
    for (const c of above) if (!apis.length) for (const m of members) { const b = at(m), f = G.chips[c]; if (b) add(c, m, narrow ? [mid(f), mid(G.chips[m])] : [[mid(f)[0], f.y + f.h], [mid(f)[0], busY], [mid(b)[0], busY], [mid(b)[0], b.y]], true); }
    return G;
  }

  // ---- the picture -------------------------------------------------------------------------------------------
  function make(ctl) {
    const svg = s("svg", { class: "km-svg", role: "group" }), q = meter();
    let G = null, H = null, ui = null;

    function setRun(history, narrow) {
      H = history; G = geometry(history, narrow);
      ui = { rules: {}, host: {}, chip: {}, pod: {}, service: {}, line: [], peer: [] };
      const hid = "kmh" + Math.random().toString(36).slice(2, 7), held = svg.contains(document.activeElement) && document.activeElement.dataset.name;
      put(svg, "viewBox", `0 0 ${G.W} ${G.H}`); put(svg, "aria-label", picture(history.topology)); svg.style.setProperty("--km-hatch", `url(#${hid})`);
      const back = s("g", { "aria-hidden": "true" }), cards = s("g"), front = s("g"), pods = s("g"), dots = s("g", { "aria-hidden": "true", class: "km-dots" });
      ui.podLayer = pods; ui.dots = dots;
      if (history.topology.hosts.some((x) => x.role === "worker")) back.append(s("line", { class: "km-lane", x1: 12, x2: G.W - 12, y1: G.lane, y2: G.lane }));
      for (const l of G.lines) { const e = s("path", { class: "km-wire", d: path(l.pts) }), x = s("path", { class: "km-x" }); back.append(e, x); ui.line.push({ ...l, e, x }); }
      for (const l of G.peers) { const e = s("path", { class: "km-wire", d: path(l.pts) }), x = s("path", { class: "km-x" }); back.append(e, x); ui.peer.push({ ...l, e, x }); }
      for (const b of G.hosts) {
        const title = s("text", { class: "km-h", x: b.x + 12, y: b.y + 21 }, fit(b.w - 60, 12.5, b.host.name, b.host.name.replace("host-", ""))), right = s("text", { class: "km-mute", x: b.x + b.w - 12, y: b.y + 21, "text-anchor": "end" });
        const g = choosable(ctl, b.host.name, s("rect", { class: "km-card", x: b.x, y: b.y, width: b.w, height: b.h, rx: 10 }), title, right);
        cards.append(g); ui.host[b.host.name] = { g, right, b };
        for (const c of b.host.components) if (G.chips[c]) cards.append(chipEl(c));
        const r = G.rules[b.host.name];
        if (r) {
          const text2 = s("text", { class: "km-mute", x: r.x + 10, y: r.y + 17 }), name = Object.keys(G.services)[0];
          const e = choosable(ctl, name, s("rect", { class: "km-chip km-rule", x: r.x, y: r.y, width: r.w, height: r.h, rx: 4 }), text2);
          put(e, "class", "km-pick km-rules"); cards.append(e); ui.rules[b.host.name] = { g: e, text: text2, r, name };
        }
        const p = s("g"); cards.append(p); ui.host[b.host.name].pods = p;
      }
      for (const c of Object.keys(G.chips)) if (!ui.chip[c]) front.append(chipEl(c));
      for (const sv of Object.values(G.services)) {
        const sub = s("text", { class: "km-mute", x: sv.x + 11, y: sv.y + 32 });
        const g = choosable(ctl, sv.name, s("rect", { class: "km-chip", x: sv.x, y: sv.y, width: sv.w, height: sv.h, rx: 8 }), s("text", { class: "km-t", x: sv.x + 11, y: sv.y + 17 }, fit(sv.w - 18, 12, "Service " + sv.name, sv.name)), sub);
        front.append(g); ui.service[sv.name] = { g, sub };
      }
      if (G.lbNote) front.append((ui.lbNote = s("text", { class: "km-mute", x: G.lbNote.x, y: G.lbNote.y })));
      svg.replaceChildren(hatch(hid), back, cards, front, pods, dots);
      if (held) { const e = svg.querySelector(`[data-name="${CSS.escape(held)}"]`); if (e) e.focus({ preventScroll: true }); }
    }
    function chipEl(name) {
      const b = G.chips[name], round = b.kind === "etcd" ? b.h / 2 : 7, in0 = b.kind === "etcd" ? 14 : b.w < 110 ? 7 : 10;
      const text = s("text", { class: "km-t", x: b.x + in0, y: b.y + b.h / 2 + 4 }), right = s("text", { class: "km-mute", x: b.x + b.w - in0, y: b.y + b.h / 2 + 4, "text-anchor": "end" });
      const halo = b.kind === "etcd" ? s("rect", { class: "km-pulse", x: b.x - 2, y: b.y - 2, width: b.w + 4, height: b.h + 4, rx: round + 2 }) : null;
      const g = choosable(ctl, name, ...(halo ? [halo] : []), s("rect", { class: "km-chip", x: b.x, y: b.y, width: b.w, height: b.h, rx: round }), text, right);
      ui.chip[name] = { g, text, right, b, room: b.w - 2 * in0 };
      return g;
    }

    /** What a chip says: [wordings, widest first], [right-hand wordings]. */
    function saying(st, name, kind, lk) {
      const stop = lk.cls === "down" ? "✕ " : lk.cls === "paused" ? "‖ " : "", m = st.etcd[name];
      if (m) return [[`${lk.mark ? lk.mark + " " : ""}${name} ${lk.word}`, `${lk.mark ? lk.mark + " " : ""}${name}`], lk.cls === "down" ? ["disk kept", ""] : [`term ${m.term}`, `t${m.term}`, ""]];
      if (kind === "apiserver") { const r = st.ready[name], ok = r && r.ready; return [[stop + LONG.apiserver, stop + "API server", stop + "api"], lk.cls === "up" ? (ok ? ["ready", "✓"] : ["✕ not ready", "✕"]) : [lk.word, ""]]; }
      if (kind === "kubelet" || kind === "kube-proxy") return [[stop + kind], [lk.cls === "up" ? "✓" : ""]];
      const label = LONG[kind] || name.split("@")[0], brief = { scheduler: "sched", controllers: "ctrl", "load balancer": "balancer" }[label] || label;
      return [[stop + label, stop + brief], [holds(st, name) ? "●" : ""]];
    }

    function draw({ st, t, fly, sel }) {
      q.draw(st, H.topology);
      for (const [name, u] of Object.entries(ui.host)) {
        const p = st.host[name], far = offside(st, name), all = far.length >= H.topology.hosts.length - 1, zone = u.b.host.zone ? `zone ${short(u.b.host.zone)}` : "";
        put(u.g, "class", `km-pick km-host${p.on ? "" : " km-off"}${far.length ? " km-cutoff" : ""}${sel === name ? " km-sel" : ""}`);
        const room = u.b.w - 30 - width(name, 12.5);
        put(u.right, "text", !p.on ? fit(room, 11, "✕ no power", "✕") : far.length ? fit(room, 11, all ? "✕ cut off" : `✕ cut from ${plural(far.length, "host")}`, "✕ cut") : p.slow ? fit(room, 11, "slow disk", "slow") : fit(room, 11, zone, zone.replace("zone ", "")));
        put(u.right, "class", !p.on || far.length ? "km-mute km-bad-t" : "km-mute");
        put(u.g.hit, "aria-pressed", String(sel === name));
        put(u.g.hit, "aria-label", `host ${name}${zone ? ", " + zone : ""}${p.on ? "" : ", no power"}${far.length ? ", " + (all ? "cut off" : "cut from " + far.join(", ")) : ""}`);
      }
      for (const [name, u] of Object.entries(ui.chip)) {
        const lk = look(st, name), [words, rights] = saying(st, name, u.b.kind, lk);
        const bold = /leader|down/.test(lk.cls) ? 1.12 : 1, right = fit(u.room - width(words[words.length - 1]) * bold - 5, 11 * bold, ...rights);
        put(u.text, "text", fit(u.room - (right ? width(right, 11) * bold + 5 : 0), 12 * bold, ...words)); put(u.right, "text", right);
        put(u.g, "class", `km-pick km-chipg km-k-${u.b.kind} km-${lk.cls}${sel === name ? " km-sel" : ""}`);
        put(u.right, "class", /✕/.test(right) ? "km-mute km-bad-t" : "km-mute");
        put(u.g.hit, "aria-pressed", String(sel === name)); put(u.g.hit, "aria-label", [name, lk.word, rights[0], holds(st, name) ? "holds the lease" : ""].filter(Boolean).join(", "));
      }
      if (ui.lbNote) { const b = Object.values(Object.values(st.backend)[0] || {}), up = b.filter((x) => x.up).length; put(ui.lbNote, "text", b.length ? `${up} up, ${b.length - up} down` : ""); }
      const hostOf = (n) => (st.comp[n] || {}).host;
      for (const l of ui.line) {
        const cut = l.host ? offside(st, l.host).length : l.a && hostOf(l.a) && hostOf(l.b) && isCut(st, hostOf(l.a), hostOf(l.b));
        const bad = cut || (l.a && Object.values(st.backend[l.a] || {}).some((x) => !x.up && (x.server === l.b || x.server === hostOf(l.b))));
        put(l.e, "class", "km-wire" + (bad ? " km-wire-bad" : "")); cross(l, bad, l.pts[l.pts.length - 1], [0, l.host ? (l.pts[0][1] < l.pts[1][1] ? -7 : 7) : -7]);
      }
      for (const l of ui.peer) {
        const cut = isCut(st, hostOf(l.a), hostOf(l.b)), la = look(st, l.a).cls, lb = look(st, l.b).cls, lead = la === "leader" || lb === "leader", dead = la === "down" || lb === "down";
        put(l.e, "class", "km-wire" + (cut || (lead && dead) ? " km-wire-bad" : lead ? " km-wire-lead" : " km-wire-none")); cross(l, cut, along(l.pts, 0.5), [0, 0]);
      }
      drawPods(st, sel); drawDots(st, fly);
    }
    function cross(l, on, [x, y], [dx, dy]) { put(l.x, "d", on ? `M${x + dx - 4} ${y + dy - 4}l8 8m0-8l-8 8` : "M0 0"); }

    function podAt(host, name) {
      const a = G.podArea[host], k = (G.pods[host] || {})[name];
      if (!a || k == null || k >= a.per * a.rows) return null;
      return [a.x + a.w * ((k % a.per) + 0.5), a.y + 20 + 54 * Math.floor(k / a.per)];
    }
    function drawPods(st, sel) {
      const seen = new Set();
      for (const [host, pods] of Object.entries(st.pods)) {
        const on = st.host[host] && st.host[host].on;
        for (const p of Object.values(pods)) {
          const xy = podAt(host, p.name); if (!xy) continue;
          const key = host + "/" + p.name; seen.add(key);
          let u = ui.pod[key];
          if (!u) {
            u = ui.pod[key] = { mark: s("text", { class: "km-pod-m", x: xy[0] + 13, y: xy[1] - 10 }), sub: s("text", { class: "km-mute km-ip", x: xy[0], y: xy[1] + 29, "text-anchor": "middle" }) };
            u.g = choosable(ctl, p.name, s("circle", { class: "km-pod-c", cx: xy[0], cy: xy[1], r: 16 }), s("text", { class: "km-pod-t", x: xy[0], y: xy[1] + 4, "text-anchor": "middle" }, fit(30, 11, p.app || "pod", (p.app || "pod").slice(0, 4))), u.mark, u.sub);
            ui.host[host].pods.append(u.g);
          }
          const cls = !on ? "down" : p.state === "running" ? (p.ready ? "ready" : "unready") : p.state;
          put(u.g, "class", `km-pick km-pod km-pod-${cls}${sel === p.name ? " km-sel" : ""}`);
          put(u.mark, "text", { down: "✕", unready: "!", starting: "…", stopping: "–" }[cls] || ""); put(u.sub, "text", p.ip || (cls === "starting" ? "starting" : ""));
          put(u.g.hit, "aria-pressed", String(sel === p.name)); put(u.g.hit, "aria-label", `pod ${p.name}, ${on ? p.state + (p.state === "running" ? (p.ready ? ", ready" : ", not ready") : "") : "its host has no power"}${p.ip ? ", " + p.ip : ""}`);
        }
      }
      for (const key of Object.keys(ui.pod)) if (!seen.has(key)) { ui.pod[key].g.remove(); delete ui.pod[key]; }
      for (const [host, u] of Object.entries(ui.rules)) {
        const rule = Object.values(st.rules[`kube-proxy@${host}`] || {}).find((r) => base(r.service) === u.name), n = rule ? rule.endpoints.length : 0, gone = rule ? rule.endpoints.filter((e) => { const p = (st.pods[e.node] || {})[base(e.pod || "")]; return !p || !st.host[e.node].on || p.state === "stopping"; }).length : 0;
        put(u.text, "text", fit(u.r.w - 18, 11, ...(gone ? [`rules: ${u.name} → ${plural(n, "pod")}, ✕ ${gone} gone`, `${u.name} → ${n}, ✕ ${gone} gone`, `→ ${n}, ✕ ${gone}`] : [`rules: ${u.name} → ${plural(n, "pod")}`, `${u.name} → ${plural(n, "pod")}`, `→ ${n}`])));
        put(u.text, "class", gone ? "km-mute km-bad-t" : "km-mute");
        put(u.g.hit, "aria-label", `rules in the kernel of ${host}: ${u.name} to ${rule ? rule.endpoints.map((e) => e.ip).join(", ") || "nowhere" : "nothing yet"}`); put(u.g.hit, "aria-pressed", String(sel === u.name));
      }
      // the Service: what the hosts' kernels are programmed with, right or stale
      for (const sv of Object.values(G.services)) {
        const eps = new Map();
        for (const rules of Object.values(st.rules)) for (const r of Object.values(rules)) if (base(r.service) === sv.name) for (const e of r.endpoints) eps.set(e.pod || e.ip, e);
        const meta = st.service[sv.name], rule = Object.values(st.rules).flatMap((x) => Object.values(x)).find((r) => base(r.service) === sv.name);
        const ip = (rule && rule.ip) || (meta && (meta.ip || meta.clusterIP)) || "";
        put(ui.service[sv.name].sub, "text", fit(sv.w - 18, 11, `${ip} → ${plural(eps.size, "pod")}`, `${ip} → ${eps.size}`, ip)); put(ui.service[sv.name].g, "class", `km-pick km-chipg km-k-service km-up${ctl.sel === sv.name ? " km-sel" : ""}`);
        put(ui.service[sv.name].g.hit, "aria-pressed", String(ctl.sel === sv.name)); put(ui.service[sv.name].g.hit, "aria-label", `Service ${sv.name}, ${plural(eps.size, "endpoint")}`);
      }
    }

    /** The way a request took, as points: from the trace's `via`. A visitor's goes through the rules of its own host. */
    function way(st, r) {
      const home = (st.comp[r.from] || {}).host, rule = r.kind === "service" && G.rules[home], stops = [r.from, ...(r.via || []).filter((v) => v !== r.from)];
      let pts = [], prev = null;
      for (const raw of stops) {
        const v = base(raw), chip = G.chips[raw], b = chip || (rule && G.services[v] ? { name: v, ...rule } : G.services[v]);
        if (chip && chip.kind === "kube-proxy") continue;
        let xy = b && (rule ? [chip ? b.x + b.w - 14 : b.x + b.w / 2, b.y + b.h] : mid(b)); // a visit runs below the boxes: it covers no label
        if (!b) for (const [host, pods] of Object.entries(st.pods)) for (const p of Object.values(pods)) if (p.name === v || (p.ip && p.ip === String(v).split(":")[0])) xy = podAt(host, p.name);
        const name = b ? b.name : v, route = prev && G.routes[prev + ">" + name];
        if (!xy || name === prev) continue;
        if (route && pts.length === 1) pts = []; // a route begins at the edge of its box
        pts = pts.concat(route || (pts.length && r.kind === "service" && !b ? bow(pts[pts.length - 1], xy) : [xy])); prev = name;
      }
      return pts;
    }
    const bow = (a, b) => curve(a, [a[0], a[1] + 26], [b[0], b[1] - 40], [b[0], b[1] - 14]);
    function drawDots(st, fly) {
      const kids = [];
      for (const m of fly.messages) { const pts = G.routes[m.from + ">" + m.to]; if (!pts) continue; const [x, y] = along(pts, m.f); kids.push(m.lost && m.f > 0.45 ? dot(x, y, "lost") : dot(x, y, /vote/i.test(m.type) ? "vote" : "msg", 4)); }
      for (const r of fly.requests) {
        const pts = way(st, r); if (pts.length < 2) continue;
        const good = r.outcome === "ok", [x, y] = along(pts, r.done && !good ? 1 : r.f), e = dot(x, y, r.done ? r.outcome : r.waiting ? "wait" : r.kind === "service" && good ? "ok" : "msg");
        if (r.done && !good) e.setAttribute("opacity", Math.max(0.15, r.f).toFixed(2));
        kids.push(e);
      }
      ui.dots.replaceChildren(...kids);
    }
    return { node: svg, top: [q.node], setRun, draw, has: (name) => !!(ui.host[name] || ui.chip[name] || ui.service[name]) || Object.values(G.pods).some((p) => name in p),
      first: (history) => { const c = history.commands.find((x) => G.chips[x.args[0]] || ui.host[x.args[0]]); return c ? c.args[0] : (history.topology.etcd || [])[0] || Object.keys(G.chips)[0]; } };
  }
  const picture = (topology) => { const n = (r) => topology.hosts.filter((x) => x.role === r).length; return [n("lb") && "load balancer", plural(n("control-plane"), "control-plane host"), n("etcd") && plural(n("etcd"), "etcd host"), plural(n("worker"), "worker")].filter(Boolean).join(", "); };

  return ({ model, el }) => widget({ model, el, name: "cluster-map", label: "Cluster map", make });
})();
export default { render };

// The ways on the cluster map: polylines between neighbours, both to draw and for dots to travel.
import { curve } from "../draw.js";
import { base, isProxy, kindOf } from "../facts.js";
import { has, mid } from "./places.js";

/** {routes: {"a>b": points}, lines: what is drawn of them, peers: between members} for *places*. */
export class Routes {
  constructor(places) {
    Object.assign(this, { places, routes: {}, lines: [], peers: [] });
    this.members = places.history.topology.etcd || [];
    this.apis = places.role("control-plane").flatMap((c) => has(c, "apiserver"));
    this.toDoors();
    this.toServers();
    this.toMembers();
    if (places.etcdBus && this.apis.length) this.bus();
    this.members.forEach((a, i) => this.members.slice(i + 1).forEach((b, j) => this.peer(a, b, j)));
  }

  /** A way there and back; drawn as a trunk that never changes, and its last stretch. */
  add(a, b, points, shown) {
    this.routes[a + ">" + b] = points;
    this.routes[b + ">" + a] = points.slice().reverse();
    const last = points.length - 2;
    if (shown && last) this.lines.push({ pts: points.slice(0, last + 1) });
    if (shown) this.lines.push({ a, b, pts: points.slice(last) });
  }

  toDoors() {
    const { chips, above, doors, routers } = this.places;
    if (routers.length > 1) {
      const [a, b] = routers.map((c) => chips[c]);
      this.add(
        a.name,
        b.name,
        [
          [a.x + a.w, mid(a)[1]],
          [b.x, mid(b)[1]],
        ],
        true,
      );
    }
    for (const c of above)
      doors.forEach((name, i) => {
        const from = [chips[c].x + chips[c].w, mid(chips[c])[1]],
          door = chips[name];
        const over = [
          from,
          [from[0] + 6, from[1]],
          [from[0] + 6, door.y - 10],
          [mid(door)[0], door.y - 10],
          [mid(door)[0], door.y],
        ];
        const pts = i ? over : [from, [door.x, mid(door)[1]]];
        this.add(c, name, pts);
        this.lines.push({ a: c, b: name, pts });
      });
  }

  toServers() {
    const { chips, above, doors, narrow, busY } = this.places,
      from = doors.length ? doors : above;
    for (const name of from)
      for (const api of this.apis) {
        const f = chips[name],
          to = chips[api],
          card = this.places.home(api),
          x = mid(f)[0],
          low = f.y + f.h;
        const round = [
          [f.x + 12, low],
          [f.x + 12, busY - 4],
          [4, busY - 4],
          [4, mid(to)[1]],
          [to.x, mid(to)[1]],
        ];
        this.add(
          name,
          api,
          narrow
            ? round
            : [
                [x, low],
                [x, busY],
                [mid(card)[0], busY],
                [mid(card)[0], card.y],
              ],
          true,
        );
      }
  }

  toMembers() {
    const { chips, above, narrow, busY } = this.places;
    for (const api of this.apis)
      for (const m of this.members) if (chips[m]) this.add(api, m, this.within(api, m));
    if (this.apis.length) return;
    for (const c of above)
      for (const m of this.members) {
        const card = this.places.home(m),
          f = chips[c];
        if (!card) continue;
        const down = [
          [mid(f)[0], f.y + f.h],
          [mid(f)[0], busY],
          [mid(card)[0], busY],
          [mid(card)[0], card.y],
        ];
        this.add(c, m, narrow ? [mid(f), mid(chips[m])] : down, true);
      }
  }

  /** From an API server to a member: in the same card, over the bus, or straight. */
  within(api, m) {
    const { chips, narrow, etcdBus } = this.places,
      a = chips[api],
      b = chips[m];
    const from = this.places.home(api),
      to = this.places.home(m);
    if (from === to && narrow)
      return [
        [a.x + a.w, mid(a)[1]],
        [b.x, mid(b)[1]],
      ];
    if (from === to)
      return [
        [a.x + a.w + 5, mid(a)[1]],
        [b.x + b.w + 5, mid(b)[1]],
      ];
    if (!etcdBus) return [mid(a), mid(b)];
    return [
      [mid(from)[0], from.y + from.h],
      [mid(from)[0], etcdBus],
      [mid(to)[0], etcdBus],
      [mid(to)[0], to.y],
    ];
  }

  /** The line that API servers and members of an external etcd share, with a stub to each. */
  bus() {
    const { places } = this,
      { etcdBus: y, narrow } = places;
    const above = places
      .role("control-plane")
      .map((x) => places.box(x.name))
      .filter((b) => !narrow || b.y + b.h > y - 30);
    const below = places
      .role("etcd")
      .map((x) => places.box(x.name))
      .filter((b) => b.y < y + 30);
    const stub = (b, edge) => ({
      host: b.host.name,
      pts: [
        [mid(b)[0], y],
        [mid(b)[0], edge],
      ],
    });
    const stubs = [...above.map((b) => stub(b, b.y + b.h)), ...below.map((b) => stub(b, b.y))];
    const xs = stubs.map((one) => one.pts[0][0]);
    this.lines.push(...stubs, {
      pts: [
        [Math.min(...xs), y],
        [Math.max(...xs), y],
      ],
    });
  }

  peer(a, b, j) {
    const { places } = this,
      A = places.home(a),
      B = places.home(b);
    if (!A || !B) return;
    const ca = mid(places.chips[a]),
      cb = mid(places.chips[b]),
      deep = Math.min(64, 16 + 13 * (j + 1));
    const hanging = () =>
      curve(
        [ca[0] + 8, A.y + A.h],
        [ca[0] + 8, A.y + A.h + deep],
        [cb[0] - 8, B.y + B.h + deep],
        [cb[0] - 8, B.y + B.h],
      );
    const pts = places.narrow ? this.beside(A, B, ca[1], cb[1]) : hanging();
    this.add(a, b, pts);
    this.peers.push({ a, b, pts });
  }

  /** On a phone: across from card to card, or round the side on which both stand. */
  beside(A, B, ya, yb) {
    const { W } = this.places;
    if (A.x !== B.x)
      return [
        [A.x < B.x ? A.x + A.w : A.x, ya],
        [A.x < B.x ? B.x : B.x + B.w, yb],
      ];
    if (A.x > W / 2 || A.w > W / 2)
      return curve([A.x + A.w, ya], [W - 2, ya], [W - 2, yb], [B.x + B.w, yb]);
    return curve([A.x, ya], [2, ya], [2, yb], [B.x, yb]);
  }

  /** The way a request took, as points: from the trace's `via`. A visitor's goes through the rules of its own host. */
  way(st, r) {
    const { rules, services, chips } = this.places,
      visit = r.kind === "service",
      ruled = visit && rules[(st.programs[r.from] || {}).host];
    let pts = [],
      before = null;
    for (const stop of [r.from, ...(r.via || []).filter((v) => v !== r.from)]) {
      if (chips[stop] && kindOf(stop) === "kube-proxy") continue;
      const name = base(stop),
        box = this.boxOf(stop, ruled);
      if (services[name] === box && box && !ruled && r.outcome === "ok") continue; // no host of ours picks for it
      const xy = box ? this.gate(box, !!chips[stop], visit) : this.pod(st, stop),
        here = box ? box.name : name;
      if (!xy || here === before) continue;
      const route = before && this.routes[before + ">" + here];
      if (route && pts.length === 1) pts = []; // a route begins at the edge of its box
      pts = pts.concat(
        route || (pts.length && visit && !box ? bow(pts[pts.length - 1], xy) : [xy]),
      );
      before = here;
    }
    return pts;
  }

  /** What stands for a stop: a program, a Service as the rules of the sender's host, or those of a node port's host. */
  boxOf(stop, ruled) {
    const { rules, services, chips } = this.places,
      name = base(stop);
    if (chips[stop]) return chips[stop];
    if (services[name]) return ruled ? { name, ...ruled } : services[name];
    const door = kindOf(stop) === "nodeport" && rules[stop.split("@")[1]];
    return door ? { name, ...door } : null;
  }

  /** Where a request passes a box: a visit runs below the boxes, so that it covers no label. */
  gate(box, isChip, visit) {
    return visit ? [isChip ? box.x + box.w - 14 : box.x + box.w / 2, box.y + box.h] : mid(box);
  }

  /** Where a pod stands, by its name or address, or by the program that works in it. */
  pod(st, stop) {
    if (kindOf(stop) === "ingress") return this.proxy(st, stop.split("@")[1]);
    const name = base(stop),
      address = name.split(":")[0];
    for (const [host, pods] of Object.entries(st.pods))
      for (const p of Object.values(pods))
        if (p.name === name || (p.ip && p.ip === address)) return this.places.podAt(host, p.name);
    return null;
  }

  /** The pod of the ingress controller on a host. */
  proxy(st, host) {
    const found = Object.values(st.pods[host] || {}).find(isProxy);
    return found ? this.places.podAt(host, found.name) : null;
  }
}

const bow = (a, b) => curve(a, [a[0], a[1] + 26], [b[0], b[1] - 40], [b[0], b[1] - 14]);

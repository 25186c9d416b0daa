// Where everything on the cluster map stands: pure geometry, from the topology and the recording.
import { base, kindOf } from "../facts.js";
import { width } from "../kit.js";

const SEAT = 62; // px for a pod and its address
const STANDING = ["kubelet", "kube-proxy", "policies", "visitor"]; // on a worker, in this order
export const mid = (b) => [b.x + b.w / 2, b.y + b.h / 2];
export const has = (host, kind) => host.components.filter((c) => kindOf(c) === kind);

/** Boxes by name: hosts (a list), chips, services, rules and podArea by host; pods: the place of each on its host. */
export class Places {
  constructor(history, narrow) {
    Object.assign(this, {
      hosts: [],
      chips: {},
      pods: {},
      services: {},
      rules: {},
      podArea: {},
      history,
      narrow,
    });
    this.W = narrow ? 360 : 700;
    this.pad = narrow ? 10 : 18;
    this.full = this.W - 2 * this.pad;
    this.gap = narrow ? 10 : 14;
    this.sortClients();
    let y = this.placeDoors();
    this.busY = y + (narrow ? 24 : 26);
    y = this.placeControlPlanes(y);
    y = this.placeMembers(y);
    this.lane = y;
    y = this.placeServices(y + 18);
    const bottom = this.placeWorkers(y);
    this.H = Math.max(bottom, this.low) + 16;
  }

  role(role) {
    return this.history.topology.hosts.filter((x) => x.role === role);
  }
  box(name) {
    return this.hosts.find((b) => b.host.name === name);
  }
  /** The box of the host that a program runs on. */
  home(program) {
    return this.hosts.find((b) => b.host.components.includes(program));
  }
  chip(name, x, y, w, h = 26) {
    return (this.chips[name] = { name, x, y, w, h, kind: kindOf(name) });
  }

  /** Who asks the API stands above, who visits the pods below. */
  sortClients() {
    const kinds = {};
    for (const r of this.history.requests) kinds[r.from] ||= r.kind;
    const asking = Object.keys(kinds).filter((c) => kindOf(c) === "client");
    const there = this.role("client").flatMap((x) => x.components);
    const asks = (c) => c !== "upstream-dns"; // a name server outside is nobody's client
    const clients = [...new Set([...there, ...asking])].filter(asks);
    this.below = clients.filter((c) => kinds[c] === "service" || (!kinds[c] && /visitor/.test(c)));
    this.above = clients.filter((c) => !this.below.includes(c));
    this.doors = this.role("lb").flatMap((x) => has(x, "lb"));
    this.routers = this.role("lb").flatMap((x) => has(x, "keeper"));
  }

  /** Clients and load balancers; gives the height below them. */
  placeDoors() {
    const { above, doors, narrow, gap, full } = this,
      y = 20;
    const slot = narrow
      ? (full - gap * (above.length + doors.length - 1)) / Math.max(2, above.length + doors.length)
      : 112;
    const wide = doors.length > 1 ? 142 : 124;
    let x = this.pad;
    for (const c of above) {
      this.chip(c, x, y, slot, 34);
      x += slot + (narrow ? gap : 18);
    }
    for (const c of doors) {
      this.chip(c, x, y, narrow ? slot : wide, 34);
      x += (narrow ? slot : wide) + gap;
    }
    const low = y + 34 + this.placeRouters(y + 38),
      door = this.chips[doors[narrow ? 0 : doors.length - 1]];
    this.lbNote = door
      ? { x: narrow ? door.x + 22 : door.x + wide + 10, y: narrow ? low + 16 : y + 22 }
      : null;
    return above.length || doors.length ? low : y - 10;
  }

  /** Below each of two balancers what gives one of them the address; gives the height that takes. */
  placeRouters(y) {
    this.routers.forEach((c, i) => {
      const door = this.chips[this.doors[i]];
      this.chip(c, door.x, y, door.w, 24);
    });
    return this.routers.length ? 28 : 0;
  }

  /** One row (wide) or stack (narrow) of host cards. *inside* places the chips and gives the card's height. */
  cards(
    list,
    y0,
    inside,
    { most = 330, left = this.pad, per = this.narrow ? 1 : list.length } = {},
  ) {
    const { W, pad, gap } = this,
      room = W - pad - left,
      w = Math.min(most, (room - gap * (per - 1)) / per);
    const start = left + (per === list.length ? (room - (w * per + gap * (per - 1))) / 2 : 0);
    let top = y0,
      bottom = y0;
    list.forEach((host, i) => {
      if (i && i % per === 0) top = bottom + gap;
      const x = start + (i % per) * (w + gap),
        h = inside(host, x, top, w);
      this.hosts.push({ host, x, y: top, w, h });
      bottom = Math.max(bottom, top + h);
    });
    return bottom;
  }

  placeControlPlanes(y) {
    const list = this.role("control-plane");
    if (!list.length) return y;
    return this.cards(list, this.busY + (this.narrow ? 8 : 20), (host, x, top, w) =>
      this.control(host, x, top, w),
    );
  }

  control(host, hx, hy, w) {
    const { narrow } = this,
      x = hx + 11,
      width = w - 22,
      api = has(host, "apiserver"),
      etcd = has(host, "etcd");
    const rest = host.components.filter((c) => !["apiserver", "etcd"].includes(kindOf(c)));
    let y = hy + 32;
    if (narrow && etcd.length) y = this.row([...api, ...etcd], x, y, width, 30);
    else y = this.row(api, x, y, width, 26);
    y =
      width >= 170
        ? this.row(rest, x, y, width, 26)
        : rest.reduce((low, c) => this.row([c], x, low, width, 26), y);
    if (!narrow) y = this.row(etcd, x, y, width, 32);
    return y - hy + 5;
  }

  /** Chips side by side; of two the second is a little wider. Gives the height below them. */
  row(names, x, y, width, h) {
    if (!names.length) return y;
    const n = names.length,
      each = (width - 6 * (n - 1)) / n,
      slim = n === 2 && !this.narrow ? 0.03 * each : 0;
    names.forEach((c, i) =>
      this.chip(c, x + i * (each + 6 - slim), y, each + (i ? slim : -slim), h),
    );
    return y + h + 6;
  }

  placeMembers(y) {
    const { narrow, pad } = this,
      list = this.role("etcd"),
      members = this.history.topology.etcd || [];
    if (list.length) {
      const planes = this.role("control-plane").length;
      const inside = (host, x, top, w) => {
        this.chip(has(host, "etcd")[0] || host.components[0], x + 9, top + 30, w - 18, 32);
        return 72;
      };
      this.etcdBus = planes ? y + 18 : this.busY;
      const row = {
        most: narrow ? 154 : 220,
        left: narrow ? pad + 6 : pad,
        per: narrow ? 2 : list.length,
      };
      y = this.cards(list, y + (planes ? 36 : 46), inside, row);
    }
    return y + (members.length > 1 && !narrow ? 26 + Math.min(5, members.length) * 6 : 14);
  }

  /** Services at the top right, and who visits below; gives the height at which workers may begin. */
  placeServices(y) {
    const { narrow, full, gap, pad, W } = this,
      names = new Set();
    for (const [, , what, d] of this.history.records) {
      if (what === "rules") names.add(base(d.service));
      else if (what === "object" && d.kind === "Service") names.add(d.name);
    }
    for (const hidden of ["kubernetes", "kube-dns"]) names.delete(hidden);
    const services = [...names].slice(0, 2),
      w = narrow ? (full - gap) / 2 : 132;
    this.visitorWidth = narrow ? (full - gap) / 2 : 112;
    let low = y;
    for (const c of this.below) {
      this.chip(c, pad, low, this.visitorWidth, 34);
      low += 34 + 16;
    }
    services.forEach((name, i) => {
      const x = narrow ? pad + i * (w + gap) : W - pad - (services.length - i) * (w + 10) + 10;
      this.services[name] = { name, x, y: narrow ? low : 17, w, h: 40 };
    });
    this.low = narrow && services.length ? low + 50 : low;
    return narrow ? this.low + 6 : y;
  }

  /** Pods keep one place for as long as they live; gives the most that a host has at a time. */
  seatPods() {
    const taken = {},
      most = {};
    this.seat = SEAT;
    for (const [, who, what, d] of this.history.records) {
      if (what !== "pod") continue;
      if (d.ip) this.seat = Math.max(this.seat, width(d.ip, 10.5) + 8);
      const on = who.split("@")[1] || who,
        seats = (taken[on] ||= {});
      if (d.state === "gone") delete seats[d.name];
      else if (!(d.name in seats)) {
        const used = new Set(Object.values(seats));
        let k = 0;
        while (used.has(k)) k++;
        (this.pods[on] ||= {})[d.name] = seats[d.name] = k;
        most[on] = Math.max(most[on] || 0, k + 1);
      }
    }
    return Math.max(1, ...Object.values(most));
  }

  placeWorkers(y) {
    const { narrow, pad, below } = this,
      list = this.role("worker"),
      max = this.seatPods();
    if (!list.length) return y;
    const left = narrow || !below.length ? pad : pad + this.visitorWidth + 28;
    const inside = (host, x, top, w) => this.worker(host, x, top, w, max);
    return this.cards(list, y, inside, {
      most: 600,
      left,
      per: narrow ? 1 : Math.min(4, list.length),
    });
  }

  worker(host, hx, hy, w, max) {
    const x = hx + 10,
      room = w - 20,
      half = (room - 6) / 2,
      stack = half < 78;
    const programs = STANDING.flatMap((kind) => has(host, kind));
    const place = (k) =>
      stack
        ? [x, hy + 30 + k * 32, room]
        : [x + (k % 2) * (half + 6), hy + 30 + Math.floor(k / 2) * 32, half];
    programs.forEach((c, k) => this.chip(c, ...place(k)));
    const ruled = Object.keys(this.services).length && has(host, "kube-proxy").length ? 1 : 0;
    if (ruled) {
      const [rx, ry, rw] = place(programs.length);
      this.rules[host.name] = { x: rx, y: ry, w: rw, h: 26 };
    }
    const k = programs.length + ruled,
      y = hy + 34 + (stack ? k : Math.ceil(k / 2)) * 32;
    const { per, rows } = this.seating(room, max);
    this.podArea[host.name] = { x, y, w: room / per, per, rows };
    return y - hy + rows * 54 + 4;
  }

  /** How many pods stand side by side, and in how many rows: no address touches the next, if all find room so. */
  seating(room, max) {
    const inRow = (seat) => Math.max(1, Math.floor(room / seat)),
      wide = inRow(this.seat),
      per = wide * 3 < max ? inRow(SEAT) : wide;
    return { per, rows: Math.min(3, Math.ceil(max / per)) };
  }

  podAt(host, name) {
    const a = this.podArea[host],
      k = (this.pods[host] || {})[name];
    if (!a || k == null || k >= a.per * a.rows) return null;
    return [a.x + a.w * ((k % a.per) + 0.5), a.y + 20 + 54 * Math.floor(k / a.per)];
  }
}

// Where everything stands in the picture of who hangs on whom: a column a server, below it its clients in a pile.
// Pure geometry, from the topology and the recording. Invariant: the picture's height is that of the highest pile of the
// whole recording, so that nothing jumps while it plays.
import { alive, doorOf, isCut, kept, kindOf } from "../facts.js";
import { blank, fold } from "../fold.js";

const hostOf = (st, name) => (st.programs[name] || {}).host;
const CARD = 58, // px: the card of a server
  BAR = 42, // px: a balancer
  ROW = 30, // px from tag to tag
  TAG = 25; // px: a tag
export const NOBODY = "";

/** The server that a client hangs on, or nobody; and whom it has dialled for that. */
export const server = (st, client) => (kept(st, client) || { server: NOBODY }).server;
export const dialled = (st, client) => (kept(st, client) || { to: NOBODY }).to;

/** Whether what a client hangs on gives it no sign of life: dead to it, and yet the connection stands. */
export function isSilent(st, client) {
  const door = doorOf(st, dialled(st, client)),
    stops = [door, server(st, client)];
  if (!door) return true; // nobody has the address
  const hosts = [client, ...stops].map((name) => hostOf(st, name));
  if (stops.some((name) => !alive(st, name) || (st.programs[name] || {}).paused)) return true;
  return hosts.some((x, i) => i && isCut(st, hosts[i - 1], x));
}

export class Piles {
  constructor(history, narrow) {
    const programs = history.topology.hosts.flatMap((x) => x.components);
    Object.assign(this, { history, narrow, W: narrow ? 360 : 760, pad: narrow ? 8 : 18 });
    this.gap = narrow ? 6 : 16;
    this.servers = programs.filter((c) => kindOf(c) === "apiserver");
    this.doors = programs.filter((c) => kindOf(c) === "lb");
    this.clients = this.keepers();
    this.measure();
    this.place();
  }

  /** Those who ever keep a connection, in the order of the topology. */
  keepers() {
    const found = new Set(
      this.history.records
        .filter((r) => r[2] === "connection" && !/apiserver|lb/.test(kindOf(r[1])))
        .map((r) => r[1]),
    );
    const known = this.history.topology.hosts.flatMap((x) => x.components);
    return [...known.filter((c) => found.has(c)), ...[...found].filter((c) => !known.includes(c))];
  }

  /** The highest pile of each kind over the whole recording. */
  measure() {
    const st = blank(this.history.topology);
    this.most = { direct: 0, through: 0, nobody: 0 };
    const look = () => {
      const height = {};
      for (const c of this.clients) {
        const { pile, key } = this.pileOf(st, c);
        if (pile === "unseen") continue;
        height[key] = (height[key] || 0) + 1;
        this.most[pile] = Math.max(this.most[pile], height[key]);
      }
    };
    look();
    for (const record of this.history.records) {
      fold(st, record);
      if (/^(connection|crash|exit|power_off)$/.test(record[2])) look();
    }
  }

  /** In which pile a client is: below its server, straight or by way of a balancer, or with those who have none. */
  pileOf(st, client) {
    const on = server(st, client);
    if (!on && alive(st, client) && !st.connections[client])
      return { pile: "unseen", key: "unseen", on: NOBODY };
    if (!this.servers.includes(on)) return { pile: "nobody", key: "nobody", on: NOBODY };
    const pile = this.servers.includes(dialled(st, client)) ? "direct" : "through";
    return { pile, key: pile + on, on };
  }

  place() {
    const { narrow, W, pad, gap, servers, doors } = this,
      n = Math.max(1, servers.length);
    this.col = (W - 2 * pad - gap * (n - 1)) / n;
    this.abreast = Math.max(1, Math.floor((this.col + 6) / 118));
    this.tag = { w: (this.col - 6 * (this.abreast - 1)) / this.abreast, h: TAG };
    this.cards = {};
    servers.forEach((name, i) => {
      this.cards[name] = { x: pad + i * (this.col + gap), y: 14, w: this.col, h: CARD };
    });
    const rows = (pile, wide) => Math.ceil(this.most[pile] / wide);
    this.tops = { direct: 14 + CARD + 10 };
    let y = this.tops.direct + rows("direct", this.abreast) * ROW;
    this.bars = {};
    this.keepers = {};
    for (const name of doors) {
      y += 8;
      this.bars[name] = { x: pad, y, w: W - 2 * pad, h: BAR };
      const keeper = this.beside(name);
      if (keeper) this.keepers[keeper] = { x: W - pad - 140, y: y + 3, w: 134, h: 19 };
      y += BAR;
    }
    this.tops.through = y + 10;
    y = this.tops.through + rows("through", this.abreast) * ROW + 12;
    this.lane = {
      x: pad,
      y,
      w: W - 2 * pad,
      wide: Math.max(1, Math.floor((W - 2 * pad - 10) / (this.tag.w + 6))),
    };
    this.lane.h = 24 + Math.max(1, rows("nobody", this.lane.wide)) * ROW;
    this.fresh = { x: pad, y: y + this.lane.h + 10, w: narrow ? 110 : 150, h: 30 };
    this.H = this.fresh.y + this.fresh.h + 12;
  }

  /** The keepalived on the host of a balancer. */
  beside(door) {
    const host = this.history.topology.hosts.find((x) => x.components.includes(door));
    return host.components.find((c) => kindOf(c) === "keeper");
  }

  /** The place of every client now: {client: {x, y, pile, on}}; and per pile its last row. */
  seats(st) {
    const taken = {},
      seats = {},
      ends = {};
    for (const c of this.clients) {
      const { pile, key, on } = this.pileOf(st, c),
        k = (taken[key] = (taken[key] ?? -1) + 1);
      seats[c] = { ...this.seat(pile, on, k), pile, on };
      if (on) ends[key] = k + 1;
    }
    return { seats, ends };
  }

  seat(pile, on, k) {
    const { lane, tag, abreast } = this;
    if (pile === "nobody" || pile === "unseen")
      return {
        x: lane.x + 8 + (k % lane.wide) * (tag.w + 6),
        y: lane.y + 22 + Math.floor(k / lane.wide) * ROW,
      };
    return {
      x: this.cards[on].x + (k % abreast) * (tag.w + 6),
      y: this.tops[pile] + Math.floor(k / abreast) * ROW,
    };
  }

  /** The cords of a server: from its card to the last tag of each row of tags, as a path. */
  cords(on, ends) {
    const card = this.cards[on],
      { abreast, tag } = this;
    let d = "";
    for (let i = 0; i < abreast; i++) {
      const x = (card.x + i * (tag.w + 6) + 12).toFixed(1);
      const last = (pile) => Math.ceil(((ends[pile + on] || 0) - i) / abreast);
      const down = last("through") > 0 ? ["through", last("through")] : ["direct", last("direct")];
      if (down[1] > 0)
        d += `M${x} ${card.y + card.h}V${(this.tops[down[0]] + (down[1] - 1) * ROW + 4).toFixed(1)}`;
    }
    return d || "M0 0";
  }

  /** The way of a fresh request: from whoever asks to the balancer, through it, to the server. */
  way(st, via) {
    const on = (via || []).find((v) => this.cards[v]),
      door = (via || []).map((v) => doorOf(st, v)).find((v) => this.bars[v]),
      f = this.fresh,
      pts = [[f.x + f.w / 2, f.y]];
    if (!on && !door) return [];
    const card = this.cards[on],
      x = card ? card.x + card.w + Math.min(this.gap, this.pad) / 2 : this.pad / 2; // beside the piles
    pts.push([f.x + f.w / 2, f.y - 5], [x, f.y - 5]);
    if (card) pts.push([x, card.y + card.h / 2], [card.x + card.w - 6, card.y + card.h / 2]);
    else pts.push([x, this.bars[door].y + BAR / 2], [x + this.pad, this.bars[door].y + BAR / 2]);
    return pts;
  }
}

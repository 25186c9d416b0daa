// Where members stand on the desk, the lines between them, and which cables a cut of the picture means: pure.

/** A ring when there is room, two columns in ring order on a phone: {members, pairs, centre, W, H, w, h}. */
export class Ring {
  constructor(history, narrow) {
    const { etcd, spares } = history.topology,
      names = [...(etcd || []), ...(spares || [])],
      n = names.length;
    Object.assign(this, { members: {}, W: narrow ? 360 : 700, centre: null });
    this.w = narrow ? 160 : n > 7 ? 146 : n > 5 ? 156 : 186;
    this.h = history.records.some((r) => r[2] === "room") ? 104 : 84;
    if (narrow) this.columns(names);
    else this.ring(names);
    for (const b of Object.values(this.members)) b.mid = [b.x + this.w / 2, b.y + this.h / 2];
    this.pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => ({ a, b })));
  }

  columns(names) {
    const { W, w, h } = this,
      n = names.length,
      rows = Math.ceil((n - 1) / 2),
      step = h + 26;
    names.forEach((m, i) => {
      const right = i >= 1 && i <= rows,
        row = i === 0 ? 0 : right ? i : n - i;
      this.members[m] = { x: i === 0 ? (W - w) / 2 : right ? W - w - 10 : 10, y: 14 + row * step };
    });
    this.H = 14 + (rows + 1) * step;
  }

  ring(names) {
    const { W, w, h } = this,
      n = names.length,
      three = n === 3; // a triangle fills its box better than a circle does
    this.H = n === 1 ? 200 : n <= 3 ? 350 : n <= 5 ? 430 : 520;
    const rx = n === 1 ? 0 : W / 2 - w / 2 - 26,
      ry = n === 1 ? 0 : this.H / 2 - h / 2 - 16,
      cx = W / 2,
      cy = this.H / 2;
    names.forEach((m, i) => {
      const a = -Math.PI / 2 + (2 * Math.PI * i) / n,
        x = cx + rx * Math.cos(a) * (three ? 0.86 : 1) - w / 2;
      this.members[m] = { x, y: cy + ry * Math.sin(a) - h / 2 + (three && i ? ry * 0.42 : 0) };
    });
    if (n > 1) this.centre = [cx, cy + (three ? 18 : 0)];
  }

  /** The straight line from card to card, outside the cards. */
  between(a, b) {
    const { w, h } = this,
      A = this.members[a].mid,
      B = this.members[b].mid;
    const out = (P, Q) => {
      const dx = Q[0] - P[0],
        dy = Q[1] - P[1],
        k = Math.min(Math.abs((w / 2 + 3) / (dx || 1e-9)), Math.abs((h / 2 + 3) / (dy || 1e-9)));
      return [P[0] + dx * k, P[1] + dy * k];
    };
    return [out(A, B), out(B, A)];
  }

  /** The pairs whose cable a line crosses. */
  crossed(line) {
    return this.pairs.filter((p) => crosses(line, [this.members[p.a].mid, this.members[p.b].mid]));
  }
}

/** Whether the lines ab and cd cross. */
function crosses([a, b], [c, d]) {
  const side = (p, q, r) => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

/** The cables to cut, as few pairs of sides: [["etcd-1", "etcd-2"], ["etcd-3"]], the smaller side first. */
export function sides(pairs) {
  const far = {},
    done = new Set(),
    out = [];
  for (const { a, b } of pairs) {
    (far[a] ||= []).push(b);
    (far[b] ||= []).push(a);
  }
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

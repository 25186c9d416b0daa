// Which rule takes a URL: what became of each row, and why. The rule is kubemini/study/urls.py; a test holds them together.
const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ORDER = { Exact: 2, RegularExpression: 1 };

/** A URL as typed, its method and headers, as they are compared. */
export function asked(url, method, headers) {
  const bare = url
    .trim()
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/#.*$/, "");
  const cut = bare.search(/[/?]/),
    host = cut < 0 ? bare : bare.slice(0, cut),
    target = cut < 0 ? "/" : bare.slice(cut);
  const [path, ...rest] = target.split("?"),
    query = new Map();
  for (const pair of rest.join("?").split("&").filter(Boolean)) {
    const [name, ...value] = pair.split("=").map((part) => decoded(part.replace(/\+/g, " "), true));
    if (!query.has(name)) query.set(name, value.join("="));
  }
  const named = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const hostname = host.replace(/:\d+$/, "").toLowerCase();
  return { hostname, path: decoded(path || "/"), query, headers: named, method };
}

/** *text* with every escape resolved that need not be one, or with *all* of them. */
function decoded(text, all = false) {
  const bytes = [];
  const push = (s) => bytes.push(...new TextEncoder().encode(s));
  for (let i = 0; i < text.length;) {
    const code = /^%[0-9a-fA-F]{2}/.exec(text.slice(i));
    const byte = code ? parseInt(code[0].slice(1), 16) : 0;
    if (code && (all || UNRESERVED.test(String.fromCharCode(byte)))) {
      bytes.push(byte);
      i += 3;
    } else {
      const char = String.fromCodePoint(text.codePointAt(i));
      push(char);
      i += char.length;
    }
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** "Name: value" pairs between commas or at line ends. */
export const headersOf = (text) =>
  text
    .split(/[,\n]/)
    .map((pair) => /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(pair))
    .filter(Boolean)
    .map(([, name, value]) => [name, value]);

function covers(pattern, host, labels) {
  const p = pattern.toLowerCase();
  if (!p.startsWith("*.")) return p === "" || p === host;
  const end = p.slice(1),
    head = host.endsWith(end) ? host.slice(0, -end.length) : "";
  return head !== "" && (!labels || head.split(".").length <= labels);
}
const hostRank = (pattern) => [pattern.startsWith("*") ? 0 : pattern.length, pattern.length];
function compare(a, b) {
  for (let i = 0; i < a.length; i++) {
    const less = Array.isArray(a[i]) ? compare(a[i], b[i]) : a[i] - b[i];
    if (less) return less;
  }
  return 0;
}
function mostSpecific(patterns, host, labels) {
  let best = null;
  for (const p of patterns.filter((x) => covers(x, host, labels)))
    if (best === null || compare(hostRank(p), hostRank(best)) > 0) best = p;
  return best;
}

const whole = (pattern, text) => new RegExp(`^(?:${pattern})$`, "s").test(text);
function pathFits(row, path) {
  if (row.kind === "Exact") return path === row.path;
  if (row.kind === "RegularExpression") return whole(row.path, path);
  const stem = row.path.replace(/\/+$/, "");
  return path === stem || path.startsWith(stem + "/");
}
const fits = (want, value) =>
  value !== undefined &&
  (want.type === "RegularExpression" ? whole(want.value, value) : value === want.value);

function misfit(row, host, request, api, best) {
  if (row.kind === "default") return "";
  if (host === null) return `the host is not ${row.hosts.join(" or ")}`;
  if (api === "Ingress" && host !== best) return `rules for ${best} are asked alone`;
  if (!pathFits(row, request.path)) {
    const words = { Exact: "is not", RegularExpression: "does not fit" };
    return `the path ${words[row.kind] || "is not below"} ${row.path}`;
  }
  if (row.method && row.method !== request.method) return `the method is not ${row.method}`;
  for (const want of row.headers)
    if (!fits(want, request.headers.get(want.name.toLowerCase())))
      return `the header ${want.name} is not ${want.value}`;
  for (const want of row.query)
    if (!fits(want, request.query.get(want.name)))
      return `the parameter ${want.name} is not ${want.value}`;
  return "";
}

/** What is compared, the first first, each with the words in which a lower one has lost. */
function ranked(row, host, api) {
  const ofHost = [hostRank(host || ""), "its host is less specific"],
    length = [[...row.path].length, "its path is shorter"];
  if (api === "Ingress")
    return [
      [+(row.kind !== "default"), "it is for what no rule takes"],
      ofHost,
      length,
      [+(row.kind === "Exact"), "Exact goes before Prefix"],
    ];
  return [
    ofHost,
    [ORDER[row.kind] || 0, "Exact goes before regular expressions, and these before prefixes"],
    length,
    [+!!row.method, "the other names a method"],
    [row.headers.length, "the other names more headers"],
    [row.query.length, "the other names more parameters"],
  ];
}

/** [fate, why] of each row: decides, lost or no. */
export function judged(rows, api, request) {
  const labels = api === "Ingress" ? 1 : 0;
  const hosts = rows.map((row) => mostSpecific(row.hosts, request.hostname, labels));
  const there = hosts.filter((host) => host !== null),
    best = mostSpecific(there, request.hostname, labels);
  const why = rows.map((row, i) => misfit(row, hosts[i], request, api, best));
  const ranks = rows.map((row, i) => ranked(row, hosts[i], api));
  const values = (i) => ranks[i].map(([value]) => value);
  let winner = -1;
  rows.forEach((_, i) => {
    if (!why[i] && (winner < 0 || compare(values(i), values(winner)) > 0)) winner = i;
  });
  const lost = (i) => {
    const at = ranks[i].findIndex(([value], n) => compare([value], [ranks[winner][n][0]]) !== 0);
    return at < 0 ? "it is the same, and comes later" : ranks[i][at][1];
  };
  return rows.map((_, i) =>
    why[i] ? ["no", why[i]] : i === winner ? ["decides", ""] : ["lost", lost(i)],
  );
}

"""The wire between hosts: cut, healed, slower, lossy."""

from kubemini.sim.vocabulary.word import ANYBODY, NETWORK, Detail, word


def _connection(d: Detail) -> str | None:
    match d["state"]:
        case "broken":
            return f"loses its connection to {d['server']}: {d['why']}"
        case "open" if d["before"] not in ("", d["server"]):
            return f"has moved from {d['before']} to {d['server']}"
    return None


word(
    "connection",
    ANYBODY,
    "a kept connection of a client opens, breaks, is closed or not made; {to: who was dialled, or had the address,"
    " server: who serves it, state: open|broken|closed|refused, why: '' in peace, before: the server of"
    " this client's former connection}",
    _connection,
    drawn=True,
)
word(
    "cut",
    NETWORK,
    "two groups of hosts cannot reach each other; {a: [hosts], b: [hosts], one_way: bool}",
    lambda d: f"{', '.join(d['a'])} cannot reach {', '.join(d['b'])}",
    deed=True,
    drawn=True,
)
word(
    "heal",
    NETWORK,
    "all cuts are gone; {}",
    lambda d: "every host reaches every other again",
    deed=True,
    drawn=True,
)
word(
    "latency",
    NETWORK,
    "a link's latency changes; {a, b, low: µs, high: µs}",
    lambda d: f"{d['a']} to {d['b']} takes up to {d['high'] / 1000:g} ms",
    deed=True,
    drawn=True,
)
word(
    "loss",
    NETWORK,
    "a link loses packets; {a, b, p}",
    lambda d: f"{d['a']} to {d['b']} loses {100 * d['p']:g} % of the packets",
    deed=True,
    drawn=True,
)
word(
    "sent",
    ANYBODY,
    "what a program sends over a connection, told only while somebody listens (Cluster.listen); {to, arrives: µs,"
    " call: its number, form: request|watch|answer|event, verb: of the API's requests or etcd's, path: that is asked"
    " for, key: etcd's, sets: {field: value} of what is written, owner: kind/name of its controller, code: OK or"
    " an error's, changes: [[type, key or kind/name, revision]]}",
)

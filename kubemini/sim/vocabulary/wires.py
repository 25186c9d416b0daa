"""The wire between hosts: cut, healed, slower, lossy."""

from kubemini.sim.vocabulary.word import NETWORK, word

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

"""What the words of an nftables rule mean. Pure.

A rule is a row of statements. Most ask: an expression (``ip daddr``, or several with dots between
them), perhaps ``!=``, and a value, a list in braces or a named set. Others do: ``meta mark set``,
``dnat to``, ``vmap``. Every value has one normal form as text, so that asking a set is one look-up.
Models torvalds/linux net/netfilter/nft_lookup.c nft_lookup_eval
Models torvalds/linux net/netfilter/nft_numgen.c nft_ng_random_gen
"""

from collections.abc import Callable, Sequence
from typing import Any

from kubemini.host.linux.addresses import number
from kubemini.host.linux.netfilter import matches
from kubemini.host.linux.netfilter.flight import NO, Act, Flight, Outcome, Part
from kubemini.host.linux.netfilter.ruleset import Ruleset

Value = Callable[[Flight], str]
FIELDS: dict[tuple[str, ...], Value] = {
    ("ip", "saddr"): lambda f: f.packet.source,
    ("ip", "daddr"): lambda f: f.packet.destination,
    ("ip6", "saddr"): lambda f: f.packet.source,
    ("ip6", "daddr"): lambda f: f.packet.destination,
    ("ip", "protocol"): lambda f: f.packet.protocol.lower(),
    ("meta", "l4proto"): lambda f: f.packet.protocol.lower(),
    ("th", "sport"): lambda f: str(f.packet.sport),
    ("th", "dport"): lambda f: str(f.packet.dport),
}
PORTS = ("tcp", "udp", "sctp")
ENDS = ("accept", "drop", "return", "notrack")
ADDRESSES = {("ip", "saddr"), ("ip", "daddr"), ("ip6", "saddr"), ("ip6", "daddr")}


def key_of(text: str) -> str:
    """The normal form of an element: ``10.0.0.1 . tcp . 80``."""
    return " . ".join(part.strip().strip('"') for part in text.split(" . "))


def verdict_of(words: Sequence[str]) -> Act | None:
    """``goto chain``, ``drop``; or None if the words are none."""
    if not words:
        return None
    if words[0] in {"jump", "goto"}:
        return Act(words[0], to=words[1])
    if words[0] in ENDS:
        return Act(words[0])
    if words[0] == "reject":
        return Act("reject", to=" ".join(words[1:]) or "icmp port-unreachable")
    return None


class Reader:
    """Reads the words of one rule into parts."""

    def __init__(self, ruleset: Ruleset, table: str, words: list[str]):
        self.ruleset, self.table = ruleset, table
        self.words, self.at = words, 0

    def parts(self) -> list[Part]:
        """All parts of the rule; ValueError at a word that this kernel does not know."""
        found: list[Part] = []
        while self.at < len(self.words):
            found += self._statement()
        return found

    # -- words -------------------------------------------------------------------------------------
    def _peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.words[at] if at < len(self.words) else ""

    def _take(self) -> str:
        self.at += 1
        return self.words[self.at - 1]

    def _accept(self, *wanted: str) -> bool:
        """Take these words if they come next."""
        if tuple(self.words[self.at : self.at + len(wanted)]) != wanted:
            return False
        self.at += len(wanted)
        return True

    def _braces(self) -> list[list[str]]:
        """``{ a : b, c : d }`` as lists of words."""
        if not self._accept("{"):
            raise ValueError(f"{{ was expected before {self._peek()!r}")
        items: list[list[str]] = [[]]
        while not self._accept("}"):
            word = self._take()
            if word == ",":
                items.append([])
            else:
                items[-1].append(word)
        return [item for item in items if item]

    # -- statements --------------------------------------------------------------------------------
    def _statement(self) -> list[Part]:
        word = self._peek()
        if word == "comment":
            self.at += 2
            return []
        if word == "counter":
            self.at += 1
            while self._peek() in {"packets", "bytes"}:
                self.at += 2
            return []
        if word in (*ENDS, "jump", "goto", "reject"):
            return [self._verdict()]
        if word in {"masquerade", "dnat", "snat", "redirect"}:
            return [self._translation(self._take())]
        if word == "numgen":
            return [self._numgen(self._verdict_at)]
        if word in {"update", "add"} and self._peek(1).startswith("@"):
            return [self._remember()]
        if self._accept("meta", "mark", "set"):
            return [self._set_mark()]
        if self._accept("meta", "mark") or self._accept("mark"):
            return [self._ask_mark()]
        return [self._question()]

    def _verdict(self) -> Part:
        act = verdict_of(self.words[self.at :])
        assert act is not None
        self.at += 2 if act.to and act.kind != "reject" else 1
        if act.kind == "reject":
            left = self.words[self.at :]
            has_comment = "comment" in left
            act = Act("reject", to=" ".join(left[: left.index("comment")] if has_comment else left))
            self.at = len(self.words)
        return lambda flight: act

    def _translation(self, kind: str) -> Part:
        """``dnat [ip] to 10.0.0.1:80``, ``dnat ip to numgen …``, ``masquerade [fully-random]``."""
        self._accept("ip") or self._accept("ip6")
        if kind in {"masquerade", "redirect"}:
            span = self._take().lstrip(":") if self._accept("to") else ""
            while self._accept("fully-random") or self._accept("random"):
                pass
            low, _, high = span.partition("-")
            ports = (int(low), int(high or low)) if low else None
            if kind == "redirect":
                return lambda flight: Act("dnat", port=int(low or 0))
            return lambda flight: Act("masquerade", ports=ports)
        if not self._accept("to"):
            raise ValueError(f"`to` was expected after {kind}")
        if self._peek() == "numgen":
            return self._numgen(lambda words: _target(kind, " ".join(words)))
        act = _target(kind, self._take())
        return lambda flight: act

    def _numgen(self, read: Callable[[list[str]], Act]) -> Part:
        """``numgen random mod n map|vmap { 0 : x, … }``: one of n, each as likely."""
        if not self._accept("numgen", "random", "mod"):
            raise ValueError("only `numgen random mod N` is known")
        many = int(self._take())
        if many < 1:
            raise ValueError("numgen needs a number of at least 1")
        if not (self._accept("vmap") or self._accept("map")):
            raise ValueError("`map` or `vmap` was expected after numgen")
        acts = {int(item[0]): (item[2:], read(item[2:])) for item in self._braces()}
        shares = [1 / many] * many

        def act(flight: Flight) -> Outcome:
            drawn = flight.choose(shares)
            if drawn not in acts:
                return NO
            said, chosen = acts[drawn]
            shown = f"{drawn} : {' '.join(said)}"
            return Act(chosen.kind, chosen.to, chosen.address, chosen.port, shown=shown)

        return act

    def _verdict_at(self, words: list[str]) -> Act:
        act = verdict_of(words)
        if act is None:
            raise ValueError(f"{' '.join(words)} is no verdict")
        return act

    def _remember(self) -> Part:
        """``update @set { ip saddr }``: the source into a set that forgets."""
        self._take()
        name = self._take()[1:]
        inner = Reader(self.ruleset, self.table, self._braces()[0])
        value = inner._expression()

        def act(flight: Flight) -> Outcome:
            flight.recent[name, value(flight)] = flight.now
            return None

        return act

    def _set_mark(self) -> Part:
        """``meta mark set meta mark | 0x4000``, also with ``or``, ``^``, or a value alone."""
        if not (self._accept("meta", "mark") or self._accept("mark")):
            value = int(self._take(), 0)
            return _marks(lambda mark: value)
        sign, value = self._take(), int(self._take(), 0)
        changes: dict[str, Callable[[int], int]] = {
            "|": lambda mark: mark | value,
            "or": lambda mark: mark | value,
            "^": lambda mark: mark ^ value,
            "xor": lambda mark: mark ^ value,
            "&": lambda mark: mark & value,
            "and": lambda mark: mark & value,
        }
        if sign not in changes:
            raise ValueError(f"this kernel does not know `mark {sign}`; use one of {' '.join(changes)}")
        return _marks(changes[sign])

    def _ask_mark(self) -> Part:
        mask = int(self._take(), 0) if self._accept("&") or self._accept("and") else 0xFFFFFFFF
        no = self._accept("!=")
        self._accept("==")
        value = int(self._take(), 0)
        return matches.asks(lambda flight: (flight.mark & mask == value) != no)

    # -- questions ---------------------------------------------------------------------------------
    def _question(self) -> Part:
        """An expression, and what it must be; or ``vmap``, which says where to go."""
        if self._accept("ct", "state"):
            return self._words_of(matches.in_state)
        if self._accept("ct", "status"):
            return self._words_of(matches.in_state)
        if self._accept("fib"):
            return self._fib()
        start = self.at
        value = self._expression()
        kind = tuple(self.words[start : self.at])
        if self._accept("vmap"):
            return self._vmap(value)
        no = self._accept("!=")
        self._accept("==")
        test = self._test(kind)
        return matches.asks(lambda flight: test(flight, value(flight)) != no)

    def _words_of(self, make: Callable[[str], Callable[[Flight], bool]]) -> Part:
        no = self._accept("!=")
        if self._peek() == "{":
            listed = ",".join(" ".join(item) for item in self._braces())
        else:
            listed = self._take()
            while self._accept(","):
                listed += f",{self._take()}"
        test = make(listed)
        return matches.asks(lambda flight: test(flight) != no)

    def _fib(self) -> Part:
        """``fib daddr type local``: what the routing table says of an address."""
        end = self._take()
        if end not in {"saddr", "daddr"} or not self._accept("type"):
            raise ValueError("only `fib saddr|daddr type …` is known")
        no = self._accept("!=")
        name = self._take().upper()
        if name not in matches.TYPES:
            raise ValueError(f"this kernel does not know the type {name.lower()}")
        field = FIELDS["ip", end]
        return matches.asks(lambda f: matches.of_type(name, f, field(f)) != no)

    def _expression(self) -> Value:
        values = [self._field()]
        while self._accept("."):
            values.append(self._field())
        if len(values) == 1:
            return values[0]
        return lambda flight: " . ".join([value(flight) for value in values])

    def _field(self) -> Value:
        first = self._take()
        if first in {"iifname", "iif"}:
            return lambda flight: flight.incoming
        if first in {"oifname", "oif"}:
            return lambda flight: flight.outgoing
        second = self._take()
        field = ("th" if first in PORTS else first, second)
        if field not in FIELDS:
            raise ValueError(f"this kernel does not know `{first} {second}`")
        if first in PORTS:
            which = FIELDS[field]
            return lambda f: which(f) if f.packet.protocol.lower() == first else ""
        return FIELDS[first, second]

    def _test(self, kind: tuple[str, ...]) -> Callable[[Flight, str], bool]:
        """What an expression is compared with: @set, a list in braces, or one value."""
        if self._peek().startswith("@"):
            return self._in_set(self._named(self._take()[1:]))
        if self._peek() == "{":
            listed = [" ".join(item) for item in self._braces()]
        else:
            listed = [self._take()]
        if kind in ADDRESSES:
            near = matches.among(",".join(listed))
            return lambda flight, value: near(value)
        if kind[-1] in {"sport", "dport"} and len(kind) == 2:
            fits = matches.ports(",".join(listed))
            return lambda flight, value: bool(value) and fits(int(value))
        wanted = {key_of(item) for item in listed}
        return lambda flight, value: value in wanted

    def _in_set(self, named: Any) -> Callable[[Flight, str], bool]:
        def test(flight: Flight, value: str) -> bool:
            if value in named.elements:
                return True
            at = flight.recent.get((named.name, value))
            return at is not None and (not named.timeout or flight.now - at < named.timeout)

        return test

    def _named(self, name: str) -> Any:
        if (self.table, name) not in self.ruleset.sets:
            raise ValueError(f"table {self.table} has no set or map {name}")
        return self.ruleset.sets[self.table, name]

    def _vmap(self, value: Value) -> Part:
        """A look-up that says where to go: @map or braces."""
        if self._peek() == "{":
            pairs = [(" ".join(i).partition(" : ")) for i in self._braces()]
            elements = {key_of(k): self._verdict_at(v.split()) for k, _, v in pairs}
        else:
            elements = self._named(self._take()[1:]).elements

        def act(flight: Flight) -> Outcome:
            key = value(flight)
            found = elements.get(key)
            if found is None:
                return NO
            shown = f"{key} : {found.kind} {found.to}".strip()
            return Act(found.kind, found.to, shown=shown)

        return act


def _target(kind: str, text: str) -> Act:
    """``10.0.0.1:80``, ``[fd00::1]:80`` or, in a map, ``10.0.0.1 . 80``."""
    address, _, port = text.replace(" . ", " ").partition(" ")
    if not port:
        address, port = matches.destination(text)
    number(address)  # or ValueError
    return Act(kind, address=address, port=int(port or 0))


def _marks(change: Callable[[int], int]) -> Part:
    def act(flight: Flight) -> Outcome:
        flight.mark = change(flight.mark)
        return None

    return act

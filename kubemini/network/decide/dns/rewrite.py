"""The plugin *rewrite*: a question becomes another before anybody looks at it, and its answer is turned back.

Theory of operation. The rules are tried in the order of the Corefile. One that fits changes the question; *stop* ends
the search there, *continue* goes on with what the question is now. A rule of names may also leave reverters for the
answer: each record that comes back passes all of them, the last one first. An exact rule always turns back names and
values; the others only with ``answer auto``. The client sees the question that it asked in any case.
What surprises: prefix, suffix and substring are made whole names, with a dot at their end, and so is what takes their
place; so a prefix ``db-`` fits nothing. A regular expression is not.
coredns plugin/rewrite.
Simplified: no edns0, cname and rcode rules, no metadata; regular expressions as Python reads them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from kubemini.network.decide.dns.corefile import CorefileError, Directive, ServerBlock
from kubemini.network.decide.dns.message import Answer, Question, Record, whole

STOP, CONTINUE = "stop", "continue"
MATCHES = ("exact", "prefix", "suffix", "substring", "regex")
TARGET = {"SRV": 3, "MX": 1, "CNAME": 0, "NS": 0, "PTR": 0, "SOA": 0}  # the word of the data that is a name
LONGEST_NAME, LONGEST_LABEL, LONGEST_TTL = 254, 63, 2147483647
TYPES: tuple[str, ...] = (
    "A",
    "AAAA",
    "ANY",
    "CAA",
    "CNAME",
    "DNAME",
    "DNSKEY",
    "DS",
    "HINFO",
    "HTTPS",
    "MX",
    "NAPTR",
    "NS",
    "NSEC",
)
TYPES += ("PTR", "RRSIG", "SOA", "SRV", "SVCB", "TLSA", "TXT", "URI")
CLASSES = ("IN", "CS", "CH", "HS", "NONE", "ANY")

Change = Callable[[str], str | None]  # of a name; None: it does not fit
Revert = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class NameRule:
    """Another name. *auto*: turn the answer back by what was done; *answers* the other reverters of the answer."""

    then: str
    change: Change
    auto: bool = False
    answers: tuple[Revert, ...] = ()

    def rewrite(self, question: Question) -> tuple[Question, tuple[Revert, ...]] | None:
        """The question as it is now and what turns its answer back; None: the rule does not fit.

        Models coredns plugin/rewrite nameRuleBase.responseRuleFor
        """
        name = question.name.lower()
        changed = self.change(name)
        if changed is None:
            return None
        back = _both(lambda text: _mapped(text, changed, name)) if self.auto else ()
        return replace(question, name=changed), (*back, *self.answers)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Another type, or another class: *field* says which."""

    then: str
    field: str
    of: str
    to: str

    def rewrite(self, question: Question) -> tuple[Question, tuple[Revert, ...]] | None:
        """As of a NameRule."""
        if (question.type if self.field == "type" else question.klass) != self.of:
            return None
        changed = replace(question, type=self.to) if self.field == "type" else replace(question, klass=self.to)
        return changed, ()


@dataclass(frozen=True, slots=True)
class TtlRule:
    """The TTLs of the answer are kept between two bounds (seconds)."""

    then: str
    change: Change
    least: int
    most: int

    def rewrite(self, question: Question) -> tuple[Question, tuple[Revert, ...]] | None:
        """As of a NameRule."""
        if self.change(question.name.lower()) is None:
            return None
        return question, (lambda record: replace(record, ttl=min(max(record.ttl, self.least), self.most)),)


Rule = NameRule | FieldRule | TtlRule


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What the rules made of a question; *question* is None if that is no name any more."""

    question: Question | None
    reverts: tuple[Revert, ...] = ()

    def restore(self, answer: Answer) -> Answer:
        """*answer* as whoever asked may see it. Models coredns plugin/rewrite ResponseReverter.WriteMsg"""
        if not self.reverts:
            return answer

        def back(records: tuple[Record, ...]) -> tuple[Record, ...]:
            return tuple(self._back(record) for record in records)

        parts = back(answer.answer), back(answer.authority), back(answer.additional)
        return replace(answer, answer=parts[0], authority=parts[1], additional=parts[2])

    def _back(self, record: Record) -> Record:
        for revert in reversed(self.reverts):
            record = revert(record)
        return record


def rewritten(rules: tuple[Rule, ...], question: Question) -> Rewritten:
    """What *rules* make of *question*.

    Models coredns plugin/rewrite Rewrite.ServeDNS
    """
    reverts: tuple[Revert, ...] = ()
    for rule in rules:
        done = rule.rewrite(question)
        if done is None:
            continue
        question, more = done
        if not _is_name(question.name):
            return Rewritten(None)
        reverts += more
        if rule.then == STOP:
            break
    return Rewritten(question, reverts)


def _is_name(text: str) -> bool:
    parts = text.removesuffix(".").split(".")
    right = len(text) <= LONGEST_NAME and all(0 < len(part) <= LONGEST_LABEL for part in parts)
    return text == "." or right


# -- what turns an answer back -----------------------------------------------------------------------
def _mapped(text: str, was: str, now: str) -> str:
    """*text*, if it is the name *was* or lies below it, with *now* in its place."""
    if text == was:
        return now
    return text.removesuffix(was) + now if text.endswith("." + was) else text


def _both(change: Callable[[str], str]) -> tuple[Revert, ...]:
    return _name(change), _value(change)


def _name(change: Callable[[str], str]) -> Revert:
    return lambda record: replace(record, name=change(record.name))


def _value(change: Callable[[str], str]) -> Revert:
    """The name that a record points to. Models coredns plugin/rewrite getRecordValueForRewrite"""

    def revert(record: Record) -> Record:
        if record.type not in TARGET:
            return record
        words, at = record.data.split(), TARGET[record.type]
        return replace(record, data=" ".join([*words[:at], change(words[at]), *words[at + 1 :]]))

    return revert


def _substituted(pattern: re.Pattern[str], to: str) -> Change:
    """*to* with ``{1}`` filled in, of a text that *pattern* fits."""

    def change(text: str) -> str | None:
        found = pattern.search(text)
        if found is None:
            return None
        made = to
        for number, group in enumerate((found[0], *found.groups())):
            made = made.replace(f"{{{number}}}", group or "")
        return made

    return change


def _kept(change: Change) -> Callable[[str], str]:
    """The same, and a text that does not fit stays."""

    def changed(text: str) -> str:
        made = change(text)
        return text if made is None else made

    return changed


# -- how they are written ----------------------------------------------------------------------------
def rewrite_rules(block: ServerBlock) -> tuple[Rule, ...]:
    """The rules of *block*, in order. Raises CorefileError."""
    return tuple(_rule(line) for line in block.plugins if line.name == "rewrite")


def _rule(line: Directive) -> Rule:
    """One rule, on its line or in a block. Models coredns plugin/rewrite newRule"""
    words = list(line.args)
    if len(words) < 2:
        words += [word for inner in line.body for word in (inner.name, *inner.args)]
    then = words.pop(0).lower() if words and words[0].lower() in (STOP, CONTINUE) else STOP
    kind, args = (words[0].lower(), words[1:]) if words else ("", [])
    match kind, args:
        case "name", args if len(args) >= 2:
            return _name_rule(then, args)
        case "type" | "class", [of, to]:
            known = TYPES if kind == "type" else CLASSES
            for word in (of, to):
                if word.upper() not in known:
                    raise CorefileError(f'plugin/rewrite: invalid {kind} "{word.upper()}"; write one such as A or IN')
            return FieldRule(then, kind, of.upper(), to.upper())
        case "ttl", args if len(args) in (2, 3):
            return _ttl_rule(then, args)
    raise CorefileError(
        f"plugin/rewrite: cannot read {' '.join(words)!r}; write [continue|stop] name [exact|prefix|suffix|substring|"
        "regex] FROM TO [answer auto|name FROM TO|value FROM TO], type FROM TO, class FROM TO, or ttl NAME SECONDS"
    )


def _name_rule(then: str, args: list[str]) -> NameRule:
    """Models coredns plugin/rewrite newNameRule"""
    match, of, to, *more = args if len(args) > 2 else ["exact", *args]
    match = match.lower()
    auto, answers = _answers(match, more)
    made = whole(to.lower())
    if match == "suffix" and auto:  # the better way back: the suffix alone
        was = whole(of.lower())
        answers = (*_both(lambda text: text.removesuffix(made) + was if text.endswith(made) else text), *answers)
        auto = False
    return NameRule(then, _change(match, of, made), auto or match == "exact", answers)


def _change(match: str, of: str, to: str) -> Change:
    """How *match* changes a name that fits *of*."""
    was = whole(of.lower())
    match match:
        case "exact":
            return lambda name: to if name == was else None
        case "prefix":
            return lambda name: to + name.removeprefix(was) if name.startswith(was) else None
        case "suffix":
            return lambda name: name.removesuffix(was) + to if name.endswith(was) else None
        case "substring":
            return lambda name: name.replace(was, to) if was in name else None
        case "regex":
            return _substituted(_pattern(of, to), to)
    raise CorefileError(
        "plugin/rewrite: name rule supports only exact, prefix, suffix, substring, and regex name matching,"
        f" received: {match}; write one of them"
    )


def _pattern(of: str, to: str) -> re.Pattern[str]:
    """The regular expression *of*; *to* may use its groups only."""
    try:
        pattern = re.compile(of)
    except re.error as error:
        raise CorefileError(f"plugin/rewrite: invalid regex matching pattern: {of}; mend it: {error}") from None
    if len(set(re.findall(r"\{(\d+)\}", to))) > pattern.groups:
        raise CorefileError(
            f"plugin/rewrite: the rewrite regex pattern ({to}) uses more subexpressions than its corresponding"
            f" matching regex pattern ({of}); put what is used into brackets"
        )
    return pattern


def _answers(match: str, words: list[str]) -> tuple[bool, tuple[Revert, ...]]:
    """What stands behind *answer*: whether it says auto, and the other reverters.

    Models coredns plugin/rewrite parseAnswerRules
    """
    auto, named, found, rest = False, False, [], list(words)
    if rest and rest[0] != "answer":
        raise CorefileError(f"plugin/rewrite: exceeded the number of arguments for a {match} rule; say answer first")
    while rest:
        if rest[0] == "answer":
            rest.pop(0)
        match rest:
            case ["auto", *rest]:
                auto = True
            case ["name" | "value" as part, of, to, *rest]:
                change = _kept(_substituted(_pattern(of, to), whole(to.lower())))
                found.append(_name(change) if part == "name" else _value(change))
                named = named or part == "name"
            case _:
                raise CorefileError(f"plugin/rewrite: cannot read answer {' '.join(rest)}; write answer auto")
    if auto and named:
        raise CorefileError(
            "plugin/rewrite: auto name answer rule cannot be combined with explicit name anwer rules; leave one out"
        )
    return auto, tuple(found)


def _ttl_rule(then: str, args: list[str]) -> TtlRule:
    """Models coredns plugin/rewrite newTTLRule"""
    match, name, bounds = args if len(args) == 3 else ["exact", *args]
    least, dash, most = bounds.partition("-")
    numbers = [least or "0", (most or f"{LONGEST_TTL}") if dash else least]
    right = bounds != "-" and all(number.isdecimal() for number in numbers)
    if not right or int(numbers[0]) > int(numbers[1]):
        raise CorefileError(f"plugin/rewrite: invalid TTL '{bounds}' for a ttl rule; write 30, or 5-30")
    return TtlRule(then, _change(match.lower(), name, "."), int(numbers[0]), int(numbers[1]))

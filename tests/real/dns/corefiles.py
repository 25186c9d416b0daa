"""Random Corefiles: rules that rewrite questions, and caches that serve what is stale; and what to ask of them.

A script of a cache asks at certain times, while the server outside changes its mood. Any two of its times differ by
a second and a tenth at least, so that no answer hangs on a millisecond, and none comes late.
"""

SPACES = "(default|shop)"
RULES = (
    "name {new} {service}",
    "name exact {new} {service} answer auto",
    "name suffix .corp.test .{space}.svc.cluster.local",
    "name suffix .corp.test .{space}.svc.cluster.local answer auto",
    "name prefix web. api.",
    "name prefix web. api. answer auto",
    "name prefix db- pg-",  # no name begins with db-.
    "name substring shop default answer auto",
    "name substring shop default",
    rf"name regex (.*)\.in\.{SPACES}\.test {{{{1}}}}.{{{{2}}}}.svc.cluster.local",
    rf"name regex (.*)\.in\.{SPACES}\.test {{{{1}}}}.{{{{2}}}}.svc.cluster.local answer auto",
    rf"name regex (.*)\.in\.{SPACES}\.test {{{{1}}}}.{{{{2}}}}.svc.cluster.local"
    rf" answer name (.*)\.{SPACES}\.svc\.cluster\.local {{{{1}}}}.in.{{{{2}}}}.test",
    rf"name regex (.*)\.in\.{SPACES}\.test {{{{1}}}}.{{{{2}}}}.svc.cluster.local"
    rf" answer auto answer value (.*)\.{SPACES}\.svc\.cluster\.local {{{{2}}}}.{{{{1}}}}.test",
    r"name regex ^bad\.(.*) ..{{1}}",
    r"name regex example\.com web.{space}.svc.cluster.local",
    "type MX A",
    "type TXT SRV",
    "type A AAAA",
    "class IN CH",
    "class CH IN",
    "ttl suffix svc.cluster.local 3-9",
    "ttl {service} 11",
    "ttl regex .* -20",
)
STALE = (
    "",
    "serve_stale",
    "serve_stale 2s",
    "serve_stale 1h verify",
    "serve_stale 1h verify 900ms",
    "serve_stale 1h immediate 7s",
    "serve_stale 1h immediate 7s 2s",
    "serve_stale 1h verify 0s 3s 2s",
)
MOODS = ("well", "well", "SERVFAIL", "NXDOMAIN", "REFUSED")
ADDRESSES = ("203.0.113.80", "203.0.113.81")
REWRITTEN = ("old0.corp.test.", "old1.corp.test.", "Old2.corp.test.", "bad.web.test.", "x.example.com.")
STEPS = 7
APART = 0.14  # seconds: what is kept in one step is never of a whole number of seconds in another
CACHE = "cache {{\n success 9984 1 0\n denial 9984 1 0\n servfail 1s\n {stale}\n }}"
LOOPING = ".:53 {{\n forward . 127.0.0.1 {{\n max_concurrent {most}\n }}\n {cache}\n}}\n"


def rewrites(rng, names):
    """Some rules, as lines of a Corefile; *names* are names of Services."""
    lines = []
    for rule in rng.sample(RULES, rng.randint(1, 6)):
        words = {
            "new": f"old{len(lines)}.corp.test",
            "service": rng.choice(names),
            "space": rng.choice(("default", "shop")),
        }
        then = rng.choice(("", "stop ", "continue ", "continue "))
        text = f"rewrite {then}{rule.format(**words)}"
        lines.append(in_a_block(text) if then and rng.random() < 0.2 else text)
    return lines


def in_a_block(line):
    """The same rule between braces."""
    first, then, *words = line.split()
    return f"{first} {then} {{\n {' '.join(words)}\n }}"


def moved(rng, questions):
    """The questions, most of them about names that a rule may know."""
    found = []
    for name, kind in questions:
        for space in ("default", "shop"):
            own = f".{space}.svc.cluster.local."
            if name.endswith(own) and rng.random() < 0.6:
                name = name.removesuffix(own) + rng.choice((".corp.test.", f".in.{space}.test."))
        if rng.random() < 0.2:
            name = rng.choice(
                ("old0.corp.test.", "old1.corp.test.", "Old2.corp.test.", "bad.web.test.", "x.example.com.")
            )
        found.append((name, kind))
    return found


def script(rng, names):
    """The steps of a story: (at which second, the mood outside, its address, what is asked)."""
    outside = [("api.example.com.", "A"), ("api.example.com.", "AAAA"), ("b.example.com.", "A"), ("nosuch.test.", "A")]
    asked = outside + [(f"{name}.", kind) for name in rng.sample(names, 4) for kind in ("A", "SRV", "AAAA")]
    at, steps = 0, []
    for number in range(STEPS):
        mood, ip = rng.choice(MOODS), rng.choice(ADDRESSES)
        steps.append((at + APART * number, mood, ip, rng.sample(asked, rng.randint(4, 10))))
        at += rng.choice((1, 1, 2))
    return steps

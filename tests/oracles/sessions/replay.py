"""Play a recorded session on our own server, and see which steps it answers otherwise.

    python -m tests.oracles.sessions.replay [AREA/SESSION…]     prints each difference, and how many steps agree
    python -m tests.oracles.sessions.replay --known             prints what known.txt should hold

What a server makes up is compared by the order in which it appears: the second uid of ours with the second of theirs.
"""

import json
import re
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from kubemini.api.objects import thaw
from tests.worlds.kube import World

HERE = Path(__file__).parent
KNOWN = HERE / "known.txt"
NOT_SIMULATED = {"ipFamilies", "ipFamilyPolicy", "serviceAccount", "serviceAccountName"}
UUID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
MADE_UP = re.compile(rf"(?P<uid>{UUID}|\buid-\d+\b)|(?P<rv>\brv-\d+\b)|(?P<ip><ip-\d+>)|(?P<gen><gen-\d+>)")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|<(micro)?time>")


def sessions():
    """``area/name`` → the session, of every recording."""
    return {
        f"{path.stem}/{session['name']}": session
        for path in sorted(HERE.glob("*.jsonl"))
        for session in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    }


def known():
    """``area/name`` → the steps that are known to differ."""
    found = {}
    for line in KNOWN.read_text(encoding="utf-8").splitlines():
        name, *steps = line.split()
        found[name] = {int(step) for step in steps}
    return found


def found(value, path):
    """The value at ``a.b[0].c``; None if there is none; ``length`` is a size."""
    for key, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if number:
            value = value[int(number)] if isinstance(value, list) and int(number) < len(value) else None
        elif key == "length" and isinstance(value, list | dict):
            value = len(value)
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


class Glasses:
    """Labels for what a server makes up, in the order of its appearance; what was sent stays as it is."""

    def __init__(self, managed):
        self.managed, self.labels, self.words, self.sent = managed, {}, {}, ""

    def look(self, value, key="", listed=False):
        if isinstance(value, list):
            return [self.look(item, "" if key == "items" else key, key == "items") for item in value]
        if isinstance(value, dict):
            return self._map(value, listed)
        if key in ("nodePort", "healthCheckNodePort") and f": {value}" not in self.sent:
            return self.label("port", value)
        if key == "resourceVersion" and value and not value.startswith("<") and f'"{value}"' not in self.sent:
            self.words[f"record ({value})"] = f"record ({self.label('rv', value)})"
            return self.label("rv", value)
        return self._text(value, key) if isinstance(value, str) else value

    def _map(self, value, listed):
        gone = NOT_SIMULATED | ({"kind", "apiVersion"} if listed else set())
        gone |= set() if self.managed else {"managedFields"}
        if value.get("kind") == "Status":
            gone = gone | {"metadata", "apiVersion"}
        base, name = value.get("generateName", "")[:58], value.get("name", "")
        if base and isinstance(name, str) and re.fullmatch(re.escape(base) + "[a-z0-9]{5}", name):
            self.words[name] = base + self.label("gen", name)
        whole = "items" in value
        shown = {}
        for key, item in value.items():
            if key in gone or (key == "details" and not item):
                continue
            shown[key] = {} if whole and key == "metadata" else self.look(item, key)
        return shown

    def _text(self, text, key):
        if key in ("clusterIP", "clusterIPs") and text not in ("", "None") and f'"{text}"' not in self.sent:
            return self.label("ip", text)
        for word, label in self.words.items():
            text = text.replace(word, label)
        text = (
            TIME.sub(lambda m: m[0] if m[0] in self.sent else "<time>", text)
            .partition("\n<diff>")[0]
            .partition("\n@@")[0]
        )
        return MADE_UP.sub(lambda m: m[0] if m[0] in self.sent else self.label(m.lastgroup, m[0]), text)

    def label(self, kind, value):
        count = sum(1 for other, _ in self.labels if other == kind)
        return self.labels.setdefault((kind, value), f"{kind}-{count + 1}")


def forgiven(ours, theirs):
    """*ours*, but for the versions of lists, which are as new as the whole store and were not kept."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {key: forgiven(value, theirs.get(key)) for key, value in ours.items()}
    return theirs if theirs in ("<rv>", "<rv-older>") else ours


class Player:
    """One session on a server of its own."""

    def __init__(self, session):
        self.session, self.world, self.answers = session, World(), {}
        self.ours, self.theirs = Glasses(session["managed"]), Glasses(session["managed"])

    def differences(self):
        """(step, path, ours, theirs) of each step that is answered otherwise."""
        for step in self.session["steps"]:
            sent = json.dumps([step["path"], step.get("body")])
            self.ours.sent += sent
            self.theirs.sent += sent
            code, answer = self._ask(step)
            ours = self.ours.look({"code": code, "answer": self._chosen(answer, step)})
            theirs = self.theirs.look({"code": step["code"], "answer": step["answer"]})
            ours = forgiven(ours, theirs)
            if ours != theirs:
                yield step["n"], step["path"], ours, theirs

    def _ask(self, step):
        url = urlsplit(self._filled(step["path"]))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if step["method"] == "PATCH":
            query["type"] = step["type"]
        body = json.loads(self._filled(json.dumps(step.get("body"))))
        reply = self.world.ask(lambda c: c.request(step["method"], url.path, body, query))
        answer = thaw(reply.value if reply.ok else reply.error.status())
        self.answers[step["n"]] = answer
        if not reply.ok:
            return reply.error.code, answer if reply.error.reason or reply.error.code != 404 else "404 page not found\n"
        return (step["code"] if step["code"] < 300 else 200), answer

    def _filled(self, text):
        return re.sub(r"\$\{step\.(\d+)\.([^}]+)\}", lambda m: str(found(self.answers.get(int(m[1])), m[2])), text)

    def _chosen(self, answer, step):
        return {path: found(answer, path) for path in step["only"]} if "only" in step else answer


def differing(session):
    """The numbers of the steps that our server answers otherwise."""
    return {number for number, *_ in Player(session).differences()}


def main(arguments):
    total = wrong = 0
    for name, session in sessions().items():
        names = [argument for argument in arguments if argument != "--known"]
        if names and name not in names:
            continue
        steps = []
        for number, path, ours, theirs in Player(session).differences():
            steps.append(number)
            if "--known" not in arguments:
                print(
                    f"{name} {number} {path}\n   ours   {json.dumps(ours)[:400]}\n   theirs {json.dumps(theirs)[:400]}"
                )
        if "--known" in arguments and steps:
            print(name, *steps)
        total, wrong = total + len(session["steps"]), wrong + len(steps)
    print(f"{total - wrong} of {total} steps are answered the same", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What two watches saw of a life, and what a recording calls its ``check``: for each pod the sequences of phases, of
states of its containers and of conditions; for each object, field and source its Events, each text once, in order."""

import re

PLACES = (  # what differs from run to run: a pattern and its name; numbered by first appearance where two may occur
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "uid", True),
    (r"\b[0-9a-f]{64}\b", "container", True),
    (r"\b(?:[0-9a-f]{32})\b", "hash", False),
    (r"\b10\.(?!96\.)\d+\.\d+\.\d+\b", "podip", True),
    (r"(?<= in )[\d.]+m?s \([\d.]+m?s(?= including)", "duration> (<duration", False),
    (r"(?<=used: )\d+", "n", False),
    (r"(?<=quantity: )[\d.]+\w*|(?<=available: )[\d.]+[KMGT]i|(?<=was using )[\d.]+\w*", "quantity", False),
    (r"/var/lib/kubelet", "kubelet-root", False),
)
OF_THE_MACHINE = (  # what README says of the recording's machine, or is plainly its own: taken out of both sides
    (r"Image size: \d+ bytes", "Image size: <n> bytes"),
)


class Seen:
    """Everything that has been watched so far."""

    def __init__(self):
        self.pods = {}  # name: every object the watch showed, in order
        self.now = {}  # name: as it is
        self.deleted = set()
        self.events = {}  # name of the Event: as it is
        self.rows = {}  # (where): [[type, reason, message]]

    def pod(self, event):
        """A watch event of a Pod."""
        pod, name = event["object"], event["object"]["metadata"]["name"]
        self.pods.setdefault(name, []).append(pod)
        if event["type"] == "DELETED":
            self.now.pop(name, None)
            self.deleted.add(name)
        else:
            self.now[name] = pod

    def event(self, event):
        """A watch event of an Event."""
        told = event["object"]
        if event["type"] == "DELETED":
            return
        self.events[told["metadata"]["name"]] = told
        on = told["involvedObject"]
        source = (
            (told.get("source") or {}).get("component") or told.get("reportingComponent") or told["reportingController"]
        )
        where = f"{on['kind']}/{on['name']} {on.get('fieldPath') or '-'} {source}"
        rows, row = self.rows.setdefault(where, []), [told["type"], told["reason"], told["message"]]
        if row not in rows:
            rows.append(row)

    # -- the language of `until` -------------------------------------------------------------------------------------
    def holds(self, expression):
        """Whether *expression* (Python, see the recording's README) holds now."""
        names = {name: getattr(self, name) for name in ("st", "rc", "ph", "ready", "cond", "ev", "gone")}
        return eval(expression, {"__builtins__": {"any": any, "sum": sum}, **names})  # of a recording, in a test

    def _status(self, pod):
        return self.now.get(pod, {}).get("status", {})

    def _container(self, name, pod):
        return next((one for one in statuses(self._status(pod)) if one["name"] == name), None)

    def st(self, container, pod="p"):
        """The state word of a container."""
        found = self._container(container, pod)
        return word(found) if found else ""

    def rc(self, container, pod="p"):
        """Its restartCount."""
        found = self._container(container, pod)
        return found["restartCount"] if found else -1

    def ph(self, pod="p"):
        """The phase."""
        return self._status(pod).get("phase", "")

    def cond(self, type, pod="p"):
        """The status of a condition."""
        return next((one["status"] for one in self._status(pod).get("conditions", ()) if one["type"] == type), "")

    def ready(self, pod="p"):
        """Whether the pod is ready."""
        return self.cond("Ready", pod) == "True"

    def gone(self, pod="p"):
        """Whether there is no such pod."""
        return pod not in self.now

    def ev(self, reason, text=""):
        """How many such Events there were, counts summed."""
        found = (one for one in self.events.values() if one["reason"] == reason and text in one["message"])
        return sum(one.get("count") or 1 for one in found)


def statuses(status):
    """All container statuses of a pod."""
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def word(status):
    """``waiting:CrashLoopBackOff``, ``running``, ``terminated:Error:7``."""
    state = status.get("state") or {}
    if "terminated" in state:
        return f"terminated:{state['terminated'].get('reason', '')}:{state['terminated']['exitCode']}"
    return f"waiting:{state['waiting'].get('reason', '')}" if "waiting" in state else "running" if state else ""


def check(seen):
    """What was seen, in the shape of a recording's ``check``."""
    names = {}
    pods = {name: _life(versions, name in seen.deleted) for name, versions in seen.pods.items()}
    return placed({"pods": pods, "events": seen.rows}, names)


def _life(versions, deleted):
    """One pod's sequences."""
    found = {"phases": [], "containers": {}, "conditions": {}}
    for pod in versions:
        status = pod.get("status", {})
        _add(found["phases"], status.get("phase"))
        for one in statuses(status):
            row = [word(one), one["restartCount"], one["ready"], bool(one.get("started"))]
            _add(found["containers"].setdefault(one["name"], []), row)
        for one in status.get("conditions", ()):
            row = [one["status"], one.get("reason"), one.get("message")]
            _add(found["conditions"].setdefault(one["type"], []), row)
        if status.get("reason"):
            _add(found.setdefault("reason", []), [status["reason"], status.get("message")])
    return found | ({"deleted": True} if deleted else {})


def _add(rows, row):
    if row is not None and rows[-1:] != [row]:
        rows.append(row)


def placed(value, names):
    """*value* with placeholders for what differs from run to run."""
    if isinstance(value, dict):
        return {key: placed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [placed(one, names) for one in value]
    if not isinstance(value, str):
        return value
    for pattern, name, numbered in PLACES:
        value = re.sub(
            pattern, lambda found, name=name, numbered=numbered: _name(found[0], name, numbered, names), value
        )
    return value


def _name(text, name, numbered, names):
    if not numbered:
        return f"<{name}>"
    known = names.setdefault(name, {})
    return f"<{name}-{known.setdefault(text, len(known) + 1)}>"


def blank(value):
    """*value* without what belongs to one machine, and with all placeholders of a kind alike."""
    if isinstance(value, dict):
        return {blank(key): blank(one) for key, one in value.items()}
    if isinstance(value, list):
        return [blank(one) for one in value]
    if not isinstance(value, str):
        return value
    for pattern, instead in OF_THE_MACHINE:
        value = re.sub(pattern, instead, value)
    return re.sub(r"<(\w+)-\d+>", r"<\1-1>", value)

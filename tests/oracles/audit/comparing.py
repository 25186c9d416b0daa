"""Two logs, made comparable: what a server chose has a label, by order of appearance, and nothing else is changed."""

import json
import re

MARK = "session/1.0"  # the log tells of others, too
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
CHOSEN = (
    (re.compile(r"^\d+\.\d+\.\d+\.\d+:\d+$"), "ADDRESS"),
    (re.compile(r"\bg-[a-z0-9]{5}\b"), "g-NAME"),
    (re.compile(r"\bkube-api-access-[a-z0-9]{5}\b"), "kube-api-access-NAME"),
)
NOW = "NOW"  # the version of a list: it counts the writes of all
LEFT_OUT = "description"  # of columns


def comparable(events):
    """The events of our requests, as values that two servers can share."""
    seen = {}

    def label(text, what):
        return seen.setdefault((what, text), f"{what}-{sum(key[0] == what for key in seen) + 1}")

    def plain(value, key=""):
        if isinstance(value, dict):
            return whole(value)
        if isinstance(value, list):
            items = [plain(item) for item in value]
            return sorted(map(json.dumps, items)) if key == "managedFields" else items
        return text(value, key) if isinstance(value, str) and value else value

    def whole(value):
        if "metadata" in value and ("items" in value or "rows" in value):
            value = {**value, "metadata": {**value["metadata"], "resourceVersion": NOW}}
        return {name: plain(value[name], name) for name in sorted(value) if name != LEFT_OUT}

    def text(value, key):
        if key == "continue":
            return "TOKEN"
        if key == "resourceVersion":
            return value if value == NOW else label(value, "version")
        value = UID.sub(lambda found: label(found.group(), "uid"), value)
        value = TIME.sub(lambda found: "MICROTIME" if found.group(1) else "TIME", value)
        for pattern, name in CHOSEN:
            value = pattern.sub(name, value)
        return value

    return [plain(event) for event in events if event.get("userAgent") == MARK]


def differences(wanted, got):
    """(line, path, wanted, got) of the first leaf of each line that differs."""
    both = zip(comparable(wanted), comparable(got), strict=False)
    found = [(number, *leaf) for number, pair in enumerate(both, 1) if (leaf := _first(*pair))]
    return found or ([] if len(wanted) == len(got) else [("lines", "", len(wanted), len(got))])


def _first(wanted, got):
    """(path, wanted, got) of the first leaf that differs, None if none does."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        names = [*wanted, *(key for key in got if key not in wanted)]
        pairs = [(key, wanted.get(key, "<absent>"), got.get(key, "<absent>")) for key in names]
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        pairs = [(f"[{place}]", *pair) for place, pair in enumerate(zip(wanted, got, strict=True))]
    else:
        return None if wanted == got else ("", wanted, got)
    for key, *pair in pairs:
        found = _first(*pair)
        if found:
            return f"{key}.{found[0]}", *found[1:]
    return None

"""What the real tools show of a node's rules, in the form of the recordings: line by line, object by object."""

import re

ENDS = {"}", ""}
COUNTED = re.compile(r" \[\d+:\d+\]$")


def saved_lines(text):
    """``table line`` of all that ``iptables-save`` shows, without counters."""
    table, lines = "", []
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith((":", "-")):
            lines.append(f"{table} {COUNTED.sub('', line)}")
    return lines


def listed(text):
    """The objects of the table kube-proxy as ``nft list`` shows it: {kind, name, lines}, {kind, of, lines}."""
    found, current = [], None
    for line in map(str.strip, _whole(text)):
        opened = re.fullmatch(r"(set|map|chain) (\S+) \{", line)
        if opened:
            current = {"kind": opened[1], "name": opened[2], "lines": []}
            found.append(current)
        elif line.startswith("elements = { "):
            for element in line[len("elements = { ") : -len(" }")].split(", "):
                found.append({"kind": "element", "of": current["name"], "lines": [element]})
        elif current and line not in ENDS:
            current["lines"].append(line)
    return found


def _whole(text):
    """Its lines, an element list that runs over several made one."""
    return re.sub(r",\n\s+", ", ", text).splitlines()

"""Tables about who may do what, and how much room a request takes."""

from kubemini.apiserver.decide.access import escalation, rbac
from kubemini.apiserver.decide.fairness import seats
from tests.oracles.kubernetes.vectors import differs


def covers(row):
    """Whether rules cover others, and what they leave uncovered."""
    if row["kind"] == "nonResourceURLCovers":
        return differs(row["want"], rbac.url_covers(row["owner"], row["requested"]))
    owner, servant = ([_rule(one) for one in row[key]] for key in ("owner", "servant"))
    found = escalation.uncovered(owner, servant)
    wanted = [_rule(one) for one in row["uncovered"]]
    return differs(row["covered"], not found, "covered") + differs(wanted, found, "uncovered")


def _rule(said):
    """A rule as objects spell it."""
    return {{"aPIGroups": "apiGroups"}.get(key, key): value for key, value in said.items()}


def list_width(row):
    """Seats of a LIST, by count and by size."""
    asked, stored = row.get("request") or {}, row["objectCount"]
    size = row["totalSize"] // stored if stored else 0
    selects = bool(asked.get("labelSelector") or asked.get("fieldSelector"))
    rest = asked.get("limit", 0), row["isListFromCache"], selects, row.get("matchesSingle", False)
    by_count, by_size = seats.of_count(stored, *rest), seats.of_list(stored, size, *rest)
    return differs(row["expectObjectCountEstimate"], max(1, by_count), "by count") + differs(
        row["expectObjectSizeEstimate"], max(1, by_size), "by size"
    )


JUDGES = {"rbac_covers": covers, "apf_list_width": list_width}

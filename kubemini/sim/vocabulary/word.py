"""A word of the trace: what a record of it says, who writes it, and how a reader is told.

`Sim.record` takes no other words than those declared with `word`, so a widget or a judge that
knows them knows every trace.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Detail = dict[str, Any]
Row = Callable[[Detail], str | None]

# who writes a word, by name
ANYBODY = r".+"
HOST = r"[a-z-]+-\d+"
NETWORK = "network"
ETCD = r"etcd-\d+"
API_SERVER = r"apiserver-\d+"
BALANCER = r"haproxy-\d+"
KEEPALIVED = r"keepalived-\d+"
SCHEDULER = r"scheduler-\d+"
MANAGER = r"(scheduler|controller-manager)-\d+"
KUBELET = r"kubelet@[a-z]+-\d+"
KUBE_PROXY = r"kube-proxy@[a-z]+-\d+"
POLICY_AGENT = r"kube-network-policies@[a-z]+-\d+"
CLOUD = r"cloud-\d+"
INGRESS = r"ingress@[a-z]+-\d+"
CLIENT = r"kubectl|etcd-client|visitor@.+|callers@.+|clients@.+"
WHOEVER_ACTS = r"you|scenario"


@dataclass(frozen=True, slots=True)
class Word:
    """*name*; *by* whom (a pattern of actors); what it *says*, with the fields of its detail in braces.

    *row*: the detail in words, for the table that tells a run; None: nothing worth a row.
    *deed*: what somebody does brings it about at the same instant, so it is not told twice.
    *lasts*: it is a state, told only when it changes. *drawn*: it changes the picture.
    """

    name: str
    by: str
    says: str
    row: Row | None = None
    deed: bool = False
    lasts: bool = False
    drawn: bool = False


WORDS: dict[str, Word] = {}


def word(name: str, by: str, says: str, row: Row | None = None, **marks: bool) -> Word:
    """Declare a word."""
    assert name not in WORDS, f"the trace has a word {name!r} already"
    found = WORDS[name] = Word(name, by, says, row, **marks)
    return found


def seconds(t: int) -> str:
    """Seconds with milliseconds, as the table prints them: ``12.500``."""
    return f"{t // 1_000_000}.{t % 1_000_000 // 1000:03d}"

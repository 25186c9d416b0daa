"""node.split-brain: a way to bring db-0 back from a node that is silent, without ever running two of it.

Each process of db-0 writes to one volume every second: two that write in turns are the end of it. The node has lost
power, or its network, or its kubelet stands still, or all is well again in a moment; and the board that can switch it
off answers, or does not.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from kubemini.cluster import Cluster
from kubemini.containers.process import Process, Sleep
from kubemini.kubectlline import kubectl
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.params import Params, changed
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

TROUBLES = ("its power failed", "its network is cut", "its kubelet stands still", "it was cut off for a while")
CASES = [(trouble, board) for trouble in TROUBLES for board in (True, False)]
MISSED, AFTERWARDS, HEALED = 75, 60, 60  # s: until somebody is called; after the procedure; after all is mended
LONGEST = 300  # s that a procedure may take
DB = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "shop/db:1.0"}]}
"""


class Writing(NamedTuple):
    """Process number *who* wrote to the volume at *at* (s)."""

    at: float
    who: int


class Site:
    """What whoever is called has: kubectl, the board of each machine, patience. *node* is the one that is silent."""

    def __init__(self, trouble: str, board: bool, seed: int):
        self._trouble, self._board = trouble, board
        self.writings: list[Writing] = []
        self._numbers = count()
        params = changed(Params(), {"all_controllers": True, "node_monitor_grace_period": "40s"})
        self._cluster = Cluster.single(workers=2, seed=seed, params=params)
        self._cluster.use_program("shop/db", self._program())
        self._cluster.prepare(DB)
        self._cluster.run(12)
        runs = [r.actor for r in self._cluster.trace.of("pod") if r.detail["state"] == "running"]
        self.node = runs[-1].split("@")[1]
        self._used = 0.0
        self._strike()
        self._cluster.run(MISSED)

    def _program(self) -> Any:
        def db(process: Process) -> Iterator[Any]:
            me = next(self._numbers)
            while True:
                self.writings.append(Writing(process.now / SECOND, me))
                yield Sleep(SECOND)

        return db

    def __repr__(self) -> str:
        return "site"

    # -- for whoever is called ------------------------------------------------------------------------
    def kubectl(self, line: str) -> str:
        """What kubectl prints, errors too."""
        typed = kubectl(self._cluster, line, time="30s")
        return f"{typed.out}{typed.err}"

    def power_off(self, node: str) -> bool:
        """Ask the machine's board to switch it off: True, it is off for certain; False, the board does not answer."""
        if node not in self._cluster.hosts:
            raise NotYet(f"power_off: there is no machine {shown(node)}; the silent one is site.node.")
        self.wait(2)
        if self._board:
            self._cluster.hosts[node].power_off()
        return self._board

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        self._used += seconds
        if self._used > LONGEST:
            raise NotYet(f"The procedure had not ended after {LONGEST} s: it may give up, and say so, before.")
        self._cluster.run(seconds)

    # -- for the checker ------------------------------------------------------------------------------
    def _strike(self) -> None:
        cluster, node = self._cluster, self.node
        if self._trouble == TROUBLES[0]:
            cluster.hosts[node].power_off()
        elif self._trouble == TROUBLES[2]:
            cluster.components[f"kubelet@{node}"].pause()
        else:
            cluster.net.cut([node], [name for name in cluster.hosts if name != node])

    def pass_by(self) -> list[int]:
        """After the procedure: who writes in the last seconds; then all is mended."""
        self._cluster.run(AFTERWARDS)
        now = self._cluster.sim.now / SECOND
        return sorted({w.who for w in self.writings if w.at > now - 3})

    def mend(self) -> None:
        """The network is whole, the kubelet goes on, the machine has power."""
        self._cluster.net.heal()
        self._cluster.components[f"kubelet@{self.node}"].resume()
        if not self._cluster.hosts[self.node].powered:
            self._cluster.hosts[self.node].power_on()
        self._cluster.run(HEALED)

    def both(self) -> tuple[float, float] | None:
        """From when to when two processes wrote; None: never."""
        first: dict[int, float] = {}
        last: dict[int, float] = {}
        for at, who in self.writings:
            first.setdefault(who, at)
            last[who] = at
        for who in first:
            for other in first:
                if who < other and first[other] < last[who]:
                    return first[other], last[who]
        return None


@exercise("node.split-brain")
def check_split_brain(answer: Any) -> Report:
    """*answer*: ``recover(site)``."""
    back = stays = 0
    for number, (trouble, board) in enumerate(CASES, 1):
        site = Site(trouble, board, number)
        told = f"the node was silent because {trouble}, and its board {'answers' if board else 'does not answer'}"
        _done(answer, site)
        if trouble == TROUBLES[3]:
            site.mend()
        writing = site.pass_by()
        _never_two(site, told)
        if board and not writing:
            raise NotYet(
                f"A minute after your procedure nobody writes to the volume: {told}.",
                next="Who is certain that the old one is off may tell Kubernetes so.",
            )
        back += bool(writing) and board
        stays += bool(writing) and not board
        site.mend()
        _never_two(site, told)
        if not site.pass_by():
            raise NotYet(f"All was mended, and db-0 did not come back: {told}.", next="Undo what you did to the node.")
    return Report(
        "pass",
        (
            f"{len(CASES)} silent nodes, and never did two processes write to the volume",
            f"where the board answered, a db-0 worked a minute later in {back} of {len(CASES) // 2} cases",
            f"in the other {len(CASES) // 2} nobody could know: in {stays} of them the old one was still at work",
        ),
        "Kubernetes waits because it does not know. Switch the machine off, and you know.",
        "What do your machines have in place of that board, and has anybody tried it?",
    )


def _done(answer: Any, site: Site) -> None:
    """The learner's procedure, which need not return anything."""

    def recover(site: Site) -> bool:
        answer(site)
        return True

    recover.__name__ = getattr(answer, "__name__", "your procedure")
    ask(recover if callable(answer) else answer, site)


def _never_two(site: Site, told: str) -> None:
    both = site.both()
    if both:
        raise NotYet(
            f"From {both[0]:.0f} to {both[1]:.0f} s two processes of db-0 wrote to one volume: {told}.",
            next="What you told the API server, did you know it, or did you guess it?",
        )

"""node.probes: three probes under which a slow start never loops, a database's blip restarts nobody, a hang is ended.

Tried on applications that start in 30 to 60 s. The checker looks at what the kubelet does, not at the fields.
"""

from typing import Any

from kubemini.api import objects
from kubemini.api.manifests import ManifestError
from kubemini.lab import NotYet, Report, exercise
from kubemini.lab.node.blips import KINDS, App, restarts, started
from kubemini.ranges import shown
from kubemini.sim.units import SECOND

STARTS = (30, 45, 52, 60)  # s
BLIP, PATIENCE = 15, 60  # s: of the database; until a process that hangs has been ended
CALM, AFTER = 35, 75  # s from the start to the blip, from the blip to the hang


@exercise("node.probes")
def check_probes(answer: Any) -> Report:
    """*answer*: a map from startupProbe, livenessProbe, readinessProbe to probes, as in a manifest."""
    if not isinstance(answer, dict) or not all(isinstance(probe, dict) for probe in answer.values()):
        raise NotYet(f"Hand over a map from the kinds of probes to probes; yours is {shown(answer)}.")
    if strange := [name for name in answer if name not in KINDS]:
        raise NotYet(f"{shown(strange[0])} is no probe; there are: {', '.join(KINDS)}.")
    hangs = [_tried(answer, starts, seed) for seed, starts in enumerate(STARTS, 1)]
    return Report(
        "pass",
        (
            f"starts of {min(STARTS)} to {max(STARTS)} s: no restart, and nobody was Ready before it listened",
            f"the database away for {BLIP} s: no restart in {len(STARTS)} runs",
            f"a process that hung was ended after {min(hangs):.0f} to {max(hangs):.0f} s",
        ),
        "Startup waits, liveness asks the process alone, readiness decides who is asked.",
        "Should a copy leave the Service when the database is away, if all copies leave together?",
    )


def _tried(probes: dict[str, Any], starts: float, seed: int) -> float:
    """Seconds from the hang of a process to its end. Raises NotYet with what went wrong before."""
    blip = 5 + starts + CALM
    app = App(starts, [(blip, blip + BLIP)], hangs=blip + AFTER)
    try:
        cluster = started(app, objects.thaw(probes), replicas=1, seed=seed, every="5s")
    except ManifestError as error:
        raise NotYet(str(error)) from None
    cluster.run(blip - cluster.sim.now / SECOND)
    if not cluster.trace.of("pod"):
        raise NotYet("The API server made no pod of these probes.", next="Is each a probe as in a manifest?")
    if many := restarts(cluster):
        raise NotYet(
            f"An application that needs {starts:g} s to start had been restarted {many} times after {blip:.0f} s.",
            next="Liveness must not ask before the start is over: which probe holds the others back, and for how long?",
        )
    ready = [r.at / SECOND for r in cluster.trace.of("pod") if r.detail["ready"]]
    if not ready:
        raise NotYet(
            f"{CALM:.0f} s after its start the application is not Ready.",
            next="Whom does readiness ask, and how often?",
        )
    if ready[0] < app.listens[0]:
        raise NotYet(
            f"The pod was Ready at {ready[0]:.0f} s, and its process listens from {app.listens[0]:.0f} s on.",
            next="Whoever is Ready is sent visitors.",
        )
    cluster.run(AFTER)
    if many := restarts(cluster):
        raise NotYet(
            f"The database was away for {BLIP} s, and {many} container was restarted; it starts in {starts:g} s.",
            next="A restart mends the process. Was the process broken?",
        )
    cluster.run(PATIENCE)
    ended = [r.at / SECOND for r in cluster.trace.of("pod") if r.detail["state"] == "exited"]
    if not ended:
        raise NotYet(
            f"A process stopped answering at {app.hangs:.0f} s, and nobody had ended it {PATIENCE} s later.",
            next="Who asks whether the process itself still answers, and how many failures does it take?",
        )
    return ended[0] - app.hangs

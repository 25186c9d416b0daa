"""Random stories of workloads, told to a real control plane and to ours: what becomes of them must be the same.

    python -m tests.real.workloads [--seed N] [--stories 20] [--first N] [--keep FOLDER]

A story (`stories.py`) makes Deployments, StatefulSets, DaemonSets, Jobs and others, changes, scales, evicts and deletes
them, and says what kubelets do. It is told twice, at the same time, to one real API server with its real controller
manager (`plane.py`: a namespace each; `world.py`), by the hand that plays the recorded histories; nodes, bindings and
pods' status are the hand's on both sides, so that only controllers are judged. What both tellings agree on becomes a
recording (`recording.py`), which tests.oracles.histories plays on ours and its compare.py judges.

What load may change is not held: a story that differs is told again, alone, and of that only what every telling of the
real one did alike is held (a status that was written once for two changes, an Event that came too late to be seen).
What is chance in the real one, as which of two equal pods goes, is not held either: ours differs if none of a few
draws of ours is like it.
"""

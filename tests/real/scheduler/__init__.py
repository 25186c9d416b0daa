"""Random clusters for the real scheduler's own plugins, and for ours: the same verdicts, scores, ties and texts.

    python -m tests.real.scheduler [--seed N] [--clusters 300] [--first N]

Each cluster (`scenes.py`) has nodes, pods that run there, Services, owners and budgets, and a pod that nobody has
placed. The judge is Go (tests/oracles/scheduler/main.go): it builds kube-scheduler's default profile and runs it over
the objects. Held are what PreFilter says, each node's first refusal with its code and reasons, each plugin's raw and
weighted score of each fitting node, the totals and so the ties, the whole text of a refusal, and where preemption would
make room; where several nodes are equally good for that, chance decides in the real one, and ours must be one of them.
"""

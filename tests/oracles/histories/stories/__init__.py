"""Stories of our own for the controllers: what a real control plane did of them lies in ../recorded (../record.py).

parts.py        the steps, and the objects that they make
rollouts.py     Deployments, ReplicaSets, ReplicationControllers
sets.py         StatefulSets, DaemonSets
batch.py        Jobs, CronJobs
others.py       what serves, owns, limits and keeps: the other controllers
corners.py      workloads in what seldom comes
autoscalers.py  HorizontalPodAutoscalers
"""

from tests.oracles.histories.stories import autoscalers, batch, corners, others, rollouts, sets


def told():
    """``area/name`` → the story, of all of them."""
    stories = [story for part in (rollouts, sets, batch, others, corners, autoscalers) for story in part.STORIES]
    return {f"{story['area']}/{story['name']}": story for story in stories}

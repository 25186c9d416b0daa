"""Graceful deletion of what is being deleted already."""

from kubemini.api.objects import freeze
from kubemini.api.timestamps import instant, timestamp
from kubemini.apiserver.decide import deletion
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.options import Options
from kubemini.sim.units import SECOND
from tests.oracles.kubernetes.vectors import differs

NOW = 1_000_000 * SECOND


def graceful(row):
    """The time that is left can only be shortened."""
    left, asked = row["deletionGracePeriodSeconds"], row["requestedGracePeriodSeconds"]
    meta = {"name": "x", "namespace": "default", "uid": "u1", "resourceVersion": "7"}
    meta |= {"deletionTimestamp": timestamp(NOW), "deletionGracePeriodSeconds": left}
    spec = {"nodeName": "worker-1", "terminationGracePeriodSeconds": 30}
    pod = freeze({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    done = deletion.delete(pod, Options(grace=asked), NOW - max(left, 0) * SECOND)
    after, wanted = done.last if isinstance(done, Remove) else done, row["wantDeletionGracePeriodSeconds"]
    wrong = differs(wanted, after["metadata"]["deletionGracePeriodSeconds"], "grace")
    wrong += differs(wanted == 0, isinstance(done, Remove), "removed")
    if left > 0:
        wrong += differs(NOW + (wanted - left) * SECOND, instant(after["metadata"]["deletionTimestamp"]), "the end")
    return wrong


JUDGES = {"graceful_delete": graceful}

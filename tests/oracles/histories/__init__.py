"""Recorded histories of real controllers, played on a cluster of ours and judged by the compare.py beside them.

    python -m tests.oracles FOLDER/deployment                       each history that differs, its first difference
    python -m tests.oracles --all FOLDER/deployment/deployment-stuck.json        … and all differences of one
    python -m tests.oracles.histories FOLDER/deployment/deployment-stuck.json    what ours did, version by version
    python -m tests.oracles.histories.record         what a real one does of stories/, kept in recorded/, and the tests

The cluster has an API server, an etcd and a controller manager with all controllers and the recording's flags, and
nobody else unless `needs` names a scheduler; nodes, kubelets and who binds pods are played by a hand (`hand.py`), as
they were when the history was recorded. `playing.py` takes the steps, `noting.py` writes down every version of every
object, `naming.py` finds the pod that a step means. A step begins no earlier than the recorded one did.
"""

from functools import partial

from tests.oracles.histories import takeover
from tests.oracles.histories.playing import judge_of, played

DRAWS = {True: 24, False: 12}  # where several kubelets fall silent, and elsewhere


def cases(path, data):
    """(name, how to run it) of the history in a file, if it holds one."""
    told = isinstance(data, dict) and (("objects" in data and "kubelet" in data) or "renewal_intervals" in data)
    if told:
        yield f"{data['area']}/{data['name']}", partial(differences, path, data)


def differences(path, recorded):
    """What the compare.py above *path* finds: one line a difference.

    What is chance in the real one is chance here: of pods of like age the one goes whose random UID is the lower; of
    kubelets that fall silent together one is dealt with first. A recording is one draw of that, and ours differs if
    none of a few draws is it; they take the times of its runs in turn.
    """
    judge, found = judge_of(path), None
    steps = recorded.get("steps")
    chancy = steps is None or any(len(step.get("silent", ())) > 1 for step in steps)
    for chance in range(DRAWS[chancy]):
        got = takeover.played(recorded, 1 + chance) if steps is None else played(path, recorded, chance)
        other = judge.compare(recorded, got)
        found = other if found is None or len(other) < len(found) else found
        if not found:
            break
    return [f"{at}: wanted {short(wanted)}, got {short(got)}" for at, wanted, got in found]


def short(value, most=400):
    """A value in one line of a bearable length."""
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"

"""Ingress controllers: what they serve by."""

from kubemini.sim.vocabulary.word import INGRESS, word


def _loaded(d: dict) -> str:
    many = len(d["routes"])
    if not d["serving"]:
        return "its pod is not ready: it serves nobody"
    how = "reloads" if d["reload"] else "takes over"
    return (
        f"{how}: {many} path{'' if many == 1 else 's'}, {d['endpoints']} endpoint{'' if d['endpoints'] == 1 else 's'}"
    )


word(
    "loaded",
    INGRESS,
    "an ingress controller serves by what it knew when the sync began; {serving, reload: whether the proxy was started"
    " anew, routes: [host path → service], endpoints}",
    _loaded,
    lasts=True,
    drawn=True,
)

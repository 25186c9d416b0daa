"""A pod out of the flags of ``kubectl run``.

Models k/kubectl pkg/generate/versioned BasicPod.Generate.
"""

from typing import Any

from kubemini.users.decide.kubectl.asking import fail
from kubemini.users.decide.kubectl.flags import ARRAY, BOOL, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import container, headed, pairs

RUN = (
    Flag("image"),
    Flag("image-pull-policy"),
    Flag("restart", default="Always"),
    Flag("labels", "l"),
    Flag("annotations", kind=ARRAY),
    Flag("env", kind=ARRAY),
    Flag("port"),
    Flag("expose", kind=BOOL),
    Flag("command", kind=BOOL),
    Flag("privileged", kind=BOOL),
    Flag("rm", kind=BOOL),
    Flag("stdin", "i", BOOL),
    Flag("tty", "t", BOOL),
    Flag("quiet", "q", BOOL),
    Flag("overrides"),
)
RESTARTS = ("Always", "OnFailure", "Never")


def pod(line: Line, given: Given, name: str) -> dict[str, Any]:
    """The pod. Raises Failed."""
    for flag in ("rm", "stdin", "tty", "overrides"):
        if given.values.get(flag):
            raise fail(f"--{flag} needs a kubectl of your own: run kubemini serve, and use it there")
    if given["restart"] not in RESTARTS:
        raise fail(f"invalid restart policy: {given['restart']}, valid values are: {', '.join(RESTARTS)}")
    made = headed("v1", "Pod", name, given)
    labels = pairs(given["labels"].split(","), "label spec") if given["labels"] else {"run": name}
    made["metadata"]["labels"] = labels
    notes = pairs(given["annotations"], "annotation spec")
    made["metadata"] |= {"annotations": notes} if notes else {}
    one = container(name, given["image"], given.words[1:], "command" if given.on("command") else "args")
    if given["env"]:
        one["env"] = [{"name": key, "value": value} for key, value in pairs(given["env"], "env").items()]
    if given["image-pull-policy"]:
        one["imagePullPolicy"] = given["image-pull-policy"]
    if given["port"]:
        one["ports"] = [{"containerPort": int(given["port"])}]
    if given.on("privileged"):
        one["securityContext"] = {"privileged": True}
    made["spec"] = {"containers": [one], "dnsPolicy": "ClusterFirst", "restartPolicy": given["restart"]}
    return made

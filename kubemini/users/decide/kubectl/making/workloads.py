"""Deployments, jobs, cron jobs and bare pods out of flags.

Models k/kubectl pkg/cmd/create createDeployment createJob createJobFromCronJob createCronJob; pkg/generate/versioned
BasicPod.Generate.
Simplified: a container whose image's name has dots gets no random letters behind its own.
"""

import re
from typing import Any

from kubemini.users.decide.kubectl.asking import Steps, fail
from kubemini.users.decide.kubectl.flags import INT, LIST, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import Maker, command_in, container, headed


def _deployment(line: Line, given: Given, name: str) -> Steps:
    images, command = given["image"], command_in(given)
    if len(images) > 1 and command:
        raise fail("cannot specify multiple --image options and command")
    containers = [container(_called(image), image, command) for image in images]
    if given["port"] >= 0 and containers:
        containers[0]["ports"] = [{"containerPort": given["port"]}]
    labels = {"app": name}
    made = headed("apps/v1", "Deployment", name, given)
    made["metadata"]["labels"] = labels
    made["spec"] = {
        "replicas": given["replicas"],
        "selector": {"matchLabels": labels},
        "strategy": {},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
    }
    return made
    yield


def _called(image: str) -> str:
    """The name of a container of *image*. Models k/kubectl pkg/cmd/create sanitizeAndUniquify"""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    return re.sub(r"[._]", "-", name)


def _job(line: Line, given: Given, name: str) -> Steps:
    if bool(given["image"]) == bool(given["from"]):
        raise fail("either --image or --from must be specified")
    if command_in(given) and given["from"]:
        raise fail("cannot specify --from and command")
    made = headed("batch/v1", "Job", name, given)
    if given["from"]:
        return (yield from _of_cron_job(line, given, made))
    made["spec"] = _once(container(name, given["image"], command_in(given)), "Never")
    return made


def _once(container: dict[str, Any], restart: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [container], "restartPolicy": restart}}}


def _of_cron_job(line: Line, given: Given, made: dict[str, Any]) -> Steps:
    word, _, name = given["from"].partition("/")
    resource = yield from line.known.find(word)
    if not name or resource.name != "cronjobs":
        raise fail("from must be an existing cronjob")
    cron = yield from line.get(resource, name)
    template = cron["spec"]["jobTemplate"]
    notes = {
        **((template.get("metadata") or {}).get("annotations") or {}),
        "cronjob.kubernetes.io/instantiate": "manual",
    }
    owner = {
        "apiVersion": "batch/v1",
        "controller": True,
        "kind": "CronJob",
        "name": name,
        "uid": cron["metadata"]["uid"],
    }
    labels = (template.get("metadata") or {}).get("labels")
    made["metadata"] |= {"annotations": notes, "ownerReferences": [owner]} | ({"labels": labels} if labels else {})
    made["spec"] = template["spec"]
    return made


def _cron_job(line: Line, given: Given, name: str) -> Steps:
    made = headed("batch/v1", "CronJob", name, given)
    once = _once(container(name, given["image"], command_in(given)), given["restart"])
    made["spec"] = {"schedule": given["schedule"], "jobTemplate": {"metadata": {"name": name}, "spec": once}}
    return made
    yield


MAKERS = {
    "deployment": Maker(
        _deployment,
        (Flag("image", kind=LIST), Flag("port", kind=INT, default=-1), Flag("replicas", "r", INT, 1)),
        ("image",),
        "failed to create deployment: ",
    ),
    "job": Maker(_job, (Flag("image"), Flag("from")), (), "failed to create job: "),
    "cronjob": Maker(
        _cron_job,
        (Flag("image"), Flag("schedule"), Flag("restart", default="OnFailure")),
        ("image", "schedule"),
        "failed to create cronjob: ",
    ),
}

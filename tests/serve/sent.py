"""What kubectl sends for a line, by its own log: recorded at `kubemini serve` for the page *kubectl at the door*.

    python -m tests.serve.sent          ask kubectl anew, write kubemini/lab/kubectl/sent.json

What no two runs share stands in capitals: HASH, UID, NAME of a pod, N seconds.
"""

import json
import re
import tempfile
from pathlib import Path

from kubemini.serve.notebook import Served

FILE = Path(__file__).parents[2] / "kubemini/lab/kubectl/sent.json"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "shop/web:1.0"}]}
"""
LINES = (
    "apply -f web.yaml",
    "apply -f web.yaml",
    "apply --server-side -f more.yaml",
    "rollout status deployment/web",
    "diff -f web.yaml",
    "get pods",
    "get pods -A -l app=web",
    "get pods -o yaml",
    "get pod web-1",
    "get all",
    "describe deployment web",
    "create configmap settings2 --from-literal=a=1",
    "describe configmap settings2",
    "label deployment web tier=front",
    "scale deployment web --replicas=3",
    "set image deployment/web web=shop/web:1.1",
    "rollout restart deployment/web",
    "expose deployment web --port=80",
    "run once --image=shop/job:1.0",
    "auth can-i create pods",
    "cordon worker-1",
    "taint node worker-1 disk=slow:NoSchedule",
    "explain pod.spec",
    "api-resources",
    "version",
    "get --raw /readyz",
    "delete configmap settings2",
    "delete deployment web",
)
VARYING = (
    (r"hash=[0-9A-F]+", "hash=HASH"),
    (r"uid%3D[-0-9a-f]{36}", "uid%3DUID"),
    (r"timeoutSeconds=\d+", "timeoutSeconds=N"),
    (r"/pods/(\w+)-[0-9a-f]+-\w{5}", r"/pods/\1-NAME"),
)


def normal(request):
    """*request* without what no two runs share."""
    for pattern, instead in VARYING:
        request = re.sub(pattern, instead, request)
    return re.sub(r"(fieldSelector=)([^&]*)", lambda found: found[1] + _in_order(found[2]), request)


def _in_order(selector):
    """The parts of a selector, which kubectl keeps in a map, by name."""
    return "%2C".join(sorted(selector.split("%2C")))


def asked():
    """``[line, requests]`` in order; the discovery of the first line is left out, as all others have it on disk."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        files = {"web.yaml": WEB, "more.yaml": WEB.replace("name: web}", "name: more}")}
        for name, text in files.items():
            Path(folder, name).write_text(text)
        served = Served("single", 1)
        try:
            served.sent("get pods")
            for line in LINES:
                here = re.sub(r"(\w+\.yaml)", rf"{folder}/\1", line)
                found.append([line, [normal(one) for one in served.sent(here)]])
        finally:
            served.close()
    return found


def text(found):
    """As the file holds it."""
    return json.dumps(found, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(asked()))

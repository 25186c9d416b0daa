"""What a container says of its end: the file that it left, or the end of its log.

Models k/k pkg/kubelet/kuberuntime getTerminationMessage
"""

from kubemini.api.objects import Obj
from kubemini.containers import Files
from kubemini.kubelet.decide.logs import Log

PATH = "/dev/termination-log"
MOST, MOST_OF_LOG, LINES = 4096, 2048, 80  # bytes; of the log also lines


def message(container: Obj, files: Files | None, log: Log | None, exit_code: int) -> str:
    """The message of a terminated state."""
    path = container.get("terminationMessagePath") or PATH
    found = files.read(path)[-MOST:] if files is not None and files.exists(path) else b""
    if not found and container.get("terminationMessagePolicy") == "FallbackToLogsOnError" and exit_code and log:
        found = "".join(line.text + line.end for line in list(log.said)[-LINES:]).encode()[-MOST_OF_LOG:]
    return found.decode("utf-8", "replace")

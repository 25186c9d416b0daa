"""pause: holds a pod's namespaces, and does nothing until it is told to end.

Models k/k build/pause/linux pause.c sigdown (on SIGINT and SIGTERM it ends with 0).
"""

from functools import partial

from kubemini.containers.process import Life, Process, Sleep


def main(process: Process) -> Life:
    """Wait for a signal."""
    for signal in ("INT", "TERM"):
        process.on(signal, partial(process.end, 0))
    yield Sleep()
    return 0

"""DaemonSet: one pod on every node that fits. `controller.CONTROLLER` is the loop. Pure."""

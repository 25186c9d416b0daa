"""StatefulSet: pods with names that last, one after another. `controller.CONTROLLER` is the loop. Pure."""

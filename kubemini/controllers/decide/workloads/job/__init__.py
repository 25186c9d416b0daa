"""Job: pods that run until enough have succeeded. `controller.CONTROLLER` is the loop. Pure."""

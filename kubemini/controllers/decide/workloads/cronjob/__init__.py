"""CronJob: a Job whenever the clock on the wall says so. `controller.CONTROLLER` is the loop. Pure."""

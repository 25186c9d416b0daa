"""Programs that run in containers: one a file, each with a `main`."""

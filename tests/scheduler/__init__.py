"""The scheduler: its plugins, its queue, and both in a whole cluster."""

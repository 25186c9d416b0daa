"""Controllers that no story needs, and every real client: they run with all_controllers. Pure."""

"""The same object under another shape, and what else can be asked of one: its sub-resources. Pure."""

"""PATCH: what a patch makes of an object, and what is said of a result that is none. Pure."""

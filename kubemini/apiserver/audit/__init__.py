"""The audit log of a server: who did what, as far as a policy wants to know."""

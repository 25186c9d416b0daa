"""Who asks, and what they may do: users, tokens, the rules of RBAC and of nodes. Pure."""

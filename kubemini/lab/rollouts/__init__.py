"""Chapter *Rollouts, budgets, drains*: how far a change goes, what it costs, and who may stop it."""

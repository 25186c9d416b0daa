"""Chapter *Services*: labels, rules, chance."""

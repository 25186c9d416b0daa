"""Chapter *Pods and Services*: labels, rules, chance."""

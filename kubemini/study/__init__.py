"""Studies: one question, many seeded runs, a distribution for an answer."""

"""Controllers of disruptions: what may be taken down on purpose, and what was said and did not come. Pure."""

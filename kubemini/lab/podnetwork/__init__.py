"""Chapter *The pod network*: a table of routes; a CNI plugin of one's own; a missing route; ranges that fit."""

"""Chapter *Electing one leader*: how often votes split, whom to vote for, timeouts for three sites."""

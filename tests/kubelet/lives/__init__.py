"""Lives of pods on one node, told as the recordings of real ones are: what their watches saw."""

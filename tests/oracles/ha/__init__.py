"""Trials of fault tolerance: what real members and clusters did, and the same trial run by the simulator."""

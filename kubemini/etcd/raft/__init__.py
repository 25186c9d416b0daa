"""Raft as a pure machine: one member's state, its log, and what it believes about the others."""

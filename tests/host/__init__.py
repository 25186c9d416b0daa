"""Machines and the programs on them."""

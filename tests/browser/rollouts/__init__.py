"""Rollouts, in a browser."""

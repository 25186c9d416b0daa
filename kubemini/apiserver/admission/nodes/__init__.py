"""Plugins about nodes, and what nodes may write."""

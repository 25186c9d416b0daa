"""Plugins about volumes, their claims and their classes."""

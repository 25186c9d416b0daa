"""Exercises of the chapters on networking."""

"""Exercises of the pages on kubectl and on operators."""

"""Garbage collection: who owns whom (`graph`), and what becomes of an object when that changes (`collecting`)."""

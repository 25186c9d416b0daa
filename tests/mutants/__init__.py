"""Faults that are planted on purpose, to see that a test notices each. A test that cannot fail is a defect."""

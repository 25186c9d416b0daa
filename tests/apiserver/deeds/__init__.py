"""What clients from outside do to objects, and what becomes of them. Most of it is in the recorded sessions."""

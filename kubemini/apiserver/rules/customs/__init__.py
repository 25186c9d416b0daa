"""What is said of kinds that are defined at one server, and of objects of theirs: names, schemas."""

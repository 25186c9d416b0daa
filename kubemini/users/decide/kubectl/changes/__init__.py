"""What changes something: one file a verb, or a family of verbs. Pure."""

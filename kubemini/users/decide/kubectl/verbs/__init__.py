"""What only looks: one file a verb. Each declares its flags, and what it does with a `Line`."""

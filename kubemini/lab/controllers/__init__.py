"""Chapter *Watch and controllers*: what a program knows, how it hears, and why it decides from states."""

"""The exercises on what runs: where pods go, and how they are replaced."""

"""What is special about each kind."""

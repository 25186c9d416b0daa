"""What the controllers decide: facts in, the next steps out. Pure; one file a controller."""

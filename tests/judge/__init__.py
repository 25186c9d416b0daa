"""What judges histories, and closed forms."""

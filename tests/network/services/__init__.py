"""Services in closed form."""

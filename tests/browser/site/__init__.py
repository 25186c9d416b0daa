"""The pages that a browser opens here, and who answers them."""

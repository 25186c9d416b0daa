"""The trace on screen: what is true, in words, tables and columns; pure, and in the browser the same."""

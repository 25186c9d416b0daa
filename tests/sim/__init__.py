"""The engine: clock, chance, trace."""

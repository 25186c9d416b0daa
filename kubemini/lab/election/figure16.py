"""The curves of figure 16 as published, read from its vector file (D. Ongaro, 2014, CC BY)."""

PUBLISHED = {  # (shortest, longest timeout): median of the published curve, all in milliseconds
    (150, 151): 1199,
    (150, 155): 287,
    (150, 175): 141,
    (150, 200): 146,
    (150, 300): 171,
    (12, 24): 30,
    (25, 50): 43,
    (50, 100): 67,
    (100, 200): 120,
}
RANDOMNESS = ((150, 151), (150, 155), (150, 175), (150, 200), (150, 300))
LENGTH = ((12, 24), (25, 50), (50, 100), (100, 200), (150, 300))

"""A story told to a real control plane, and written down as a recording.

outside.py   a namespace of a real control plane, as the hand and the notes of a history ask a world
teller.py    the steps of a story, and the names of what was made up on the way
agreeing.py  what several tellings agree on
"""

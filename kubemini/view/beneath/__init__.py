"""The same fault on a real cluster, beneath ours: recordings, and how they are laid on the time of a run.

`deeds.py` finds which recorded trial a run repeats, `recordings.py` holds what was recorded, `ours.py` gives our run in
the same columns, `differences.py` says in what the two differ, `windows.py` puts it together.
Invariant: a recording is shown only where the same thing was broken in a cluster that was whole, and every
difference that can be told from chance is in the sentence below.
"""

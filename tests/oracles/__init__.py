"""Judges that nobody here wrote, a folder each: their recordings, and the program that asks them where that is ours."""

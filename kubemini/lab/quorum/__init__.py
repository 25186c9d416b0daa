"""Chapter *Quorum*: restore a lost majority without losing data; say what is committed."""

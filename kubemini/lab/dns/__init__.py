"""Chapter *DNS*: the names that are tried; fewer questions; four tickets."""

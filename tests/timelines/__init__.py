"""The failure timelines that the book gives in numbers, on a control plane of ours; ``TIMELINES=n``: n seeds."""

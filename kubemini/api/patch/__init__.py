"""How an object is changed by a part of itself: merge patches, strategic merge, JSON patch, apply. Pure."""

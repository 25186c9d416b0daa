"""The Pod Security Standards: what a pod may ask of its host at each of three levels. Pure."""

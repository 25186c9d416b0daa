"""Before anything is done: who asks, and may they, and is there room? What drives decide/access and decide/fairness."""

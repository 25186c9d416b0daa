"""How much there is to do; how long it takes, no test says."""

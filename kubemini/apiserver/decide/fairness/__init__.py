"""Priority and fairness: which flow a request belongs to, how much room it takes, whose turn it is. Pure."""

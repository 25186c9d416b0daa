"""The kernel twin: our network of namespaces, built of real ones, and asked the same questions."""

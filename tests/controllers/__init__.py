"""The controllers: what they decide, and what comes of it in a whole cluster."""

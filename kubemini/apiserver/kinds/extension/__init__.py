"""Kinds that tell what the API itself consists of: its services, its definitions, how they are stored."""

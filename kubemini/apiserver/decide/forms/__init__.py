"""Between bytes and objects: what a body may be, and in which form an answer is wanted. Pure."""

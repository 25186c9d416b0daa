"""Appendix *Write an operator*: a kind of your own, and a program that keeps it true."""

"""Raft's sentences, one machine, and messages made by hand: what no conversation would notice is here above all."""

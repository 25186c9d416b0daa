"""Porcupine as the judge of our judge of histories: is this history linearizable?"""

"""Torture of the treasury: the whole course of spends of two ventures, drawn from a seed, with a kill somewhere in it.

Everything is the product's but the providers, which are its doubles. `python -m torture` runs as many seeds as asked.
"""

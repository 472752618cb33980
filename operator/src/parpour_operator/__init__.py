"""The operator of parpour: it watches Simulations and makes the cluster agree with them.

Decisions are pure functions from facts to a plan (`planning`); everything that touches the network is a thin shell
around them. It keeps nothing of its own, so it may be killed at any line.
"""

__version__ = "0.1.0"

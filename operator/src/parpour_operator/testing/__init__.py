"""Public test doubles: a cluster in memory, and a driver that leads a Simulation through its life on it."""

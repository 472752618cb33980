"""parpour on the command line: what runs in a cluster, what came of it, and what a cluster lacks.

It reads and never writes: Simulations are applied with kubectl, as any other resource.
"""

__version__ = "0.1.0"

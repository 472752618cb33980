"""The kernel runtime: backends, columns, phases, the chain, and worlds that advance tick by tick.

A model hands it declarations (columns, phases, metrics) and kernels, and the runtime moves the arrays; `world` is the
one module where the two meet. What is Python here never touches an agent: per tick it launches a handful of kernels.
"""

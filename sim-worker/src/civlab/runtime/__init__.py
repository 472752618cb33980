"""The kernel runtime: backends, columns, phases, the chain, and worlds that advance tick by tick.

It knows no model; a model hands it declarations (columns, phases, metrics) and kernels, and the runtime moves the
arrays. What is Python here never touches an agent: per tick it launches a handful of kernels and nothing else.
"""

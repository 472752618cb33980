"""Sampling designs: which parameters each member of an ensemble runs with.

Everything here is integer and decimal arithmetic, because a design is part of a run's identity: the same document
must give the same members on every machine, and a library's floating-point sampler does not promise that.
"""

from civlab.design.points import MemberPoint, design_parameters, plan_members

__all__ = ["MemberPoint", "design_parameters", "plan_members"]

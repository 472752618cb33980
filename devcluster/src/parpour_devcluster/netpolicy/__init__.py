"""A NetworkPolicy enforcer for one node.

None of the known ones can be had from the package registries alone. This one fails closed: what it does not understand
allows nothing and is reported as an event on the policy, and an address of no known pod gets through nowhere.
"""

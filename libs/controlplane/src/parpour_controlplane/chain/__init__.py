"""The tenant's chain: proof that its events are the ones that were sealed, all of them, in their order.

Events get a position, lie in blocks, blocks follow each other by hash, and checkpoints sign what the whole had come to.
Everything here is pure: no database, no clock, no file. Who holds the public keys and one old checkpoint can check an
export on a machine of their own, and that is the point.
"""

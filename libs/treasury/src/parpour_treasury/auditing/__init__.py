"""The audit of a tenant's books: what its events tell, beside what its books say.

The chain of events proves itself (`parpour_controlplane.chain`). Here the books are computed anew from them, and
every difference to the books that were handed over is named by its place. Only the module that takes the books out of a
database knows one.
"""

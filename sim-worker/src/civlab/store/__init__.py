"""Where runs live: one code for a local folder, memory, S3, Google and Azure object stores.

What is large is content-addressed and written once; what names it (a manifest) is written last and only once. Nothing
relies on renames or locks, because object stores have neither.
"""

from civlab.store.address import open_store
from civlab.store.objects import ByteSink, Store

__all__ = ["ByteSink", "Store", "open_store"]

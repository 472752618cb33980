"""What two components of parpour both must know: resources, scenario documents, messages and error codes.

Nothing here does I/O and nothing here imports another component, so every component may build on it.
"""

__version__ = "0.1.0"

GROUP = "parpour.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

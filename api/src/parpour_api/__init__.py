"""The tenant API, the internal API and the workers beside them."""

__version__ = "0.1.0"

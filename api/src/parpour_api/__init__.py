"""The tenant API, the internal API and the workers beside them."""

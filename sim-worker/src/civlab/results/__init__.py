"""Results: the tables that a run leaves behind, the manifests that vouch for them, and how to read them."""

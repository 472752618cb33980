"""Who asks: bearer tokens of an OpenID provider, verified with its published keys, become principals."""

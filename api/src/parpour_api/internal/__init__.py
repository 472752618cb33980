"""The internal API: the operator binds Ventures, and reserves and settles what runs cost."""

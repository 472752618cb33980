"""The scenario document of the civilisation model, section by section."""

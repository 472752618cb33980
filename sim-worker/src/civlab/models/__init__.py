"""The models: each a folder with its rules (model.md), declarations, compiler, generator and kernels."""

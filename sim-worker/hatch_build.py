"""Build hook: compiles the kernels into the wheel, and beside the sources for an editable install.

The wheel holds one library a level of the instruction set (chosen when it is loaded) and the CUDA sources, so neither
a compiler nor OpenMP is needed where it runs.
"""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs civlab.runtime.building for every level of this architecture."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Builds the libraries and marks the wheel as belonging to this platform."""
        if self.target_name != "wheel":
            return
        package = Path(self.root) / "src" / "civlab"
        spec = importlib.util.spec_from_file_location("civlab_building", package / "runtime" / "building.py")
        if spec is None or spec.loader is None:
            raise RuntimeError(f"cannot load {package / 'runtime' / 'building.py'}")
        building = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(building)
        for level in building.levels():
            building.build(level, building.library(level, package), package=package)
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"

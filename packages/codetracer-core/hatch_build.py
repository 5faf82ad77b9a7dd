"""The hatchling hook that puts the compiled ``codetracer_core._native`` into wheels."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Compiles the C sources for a wheel, and takes them along into the source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before each build; `version` is ``editable`` or ``standard``."""
        csrc = self._find_csrc()
        if self.target_name == "sdist":
            build_data["force_include"][str(csrc)] = "csrc"
            return
        native_build = self._import_native_build()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version == "editable":
            # An editable install imports from src/, so the module must lie there.
            native_build.build(csrc, Path(self.root, "src", "codetracer_core"))
            return
        self._output = tempfile.TemporaryDirectory(prefix="codetracer-wheel-")
        module = native_build.build(csrc, Path(self._output.name))
        build_data["force_include"][str(module)] = f"codetracer_core/{module.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the archive is written: the compiled module is not needed any more."""
        output = getattr(self, "_output", None)
        if output is not None:
            output.cleanup()

    def _find_csrc(self) -> Path:
        root = Path(self.root)
        # Unpacked source distribution first, then the repository.
        for candidate in (root / "csrc", root.parent.parent / "csrc"):
            if candidate.is_dir():
                return candidate
        raise FileNotFoundError(f"no csrc folder beside {root} or at the top of its repository")

    def _import_native_build(self) -> Any:
        sys.path.insert(0, self.root)
        try:
            import native_build
        finally:
            sys.path.remove(self.root)
        return native_build

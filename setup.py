# SPDX-License-Identifier: BSD-3-Clause
"""What pyproject.toml cannot say: RTL, models, configurations, licence and changelog go into the wheel, as pyharness/share."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py


class BuildWithShare(build_py):
    """Copy the folders beside the package into it; an editable installation uses them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in ("hdl", "veriloga", "configs"):
            shutil.copytree(name, Path(self.build_lib, "pyharness", "share", name), dirs_exist_ok=True)
        for name in ("LICENSE", "CHANGELOG.md"):
            shutil.copyfile(name, Path(self.build_lib, "pyharness", "share", name))


class BuildAnywhere(build_ext):
    """Leave the folder of the build out of what is built: the same sources give the same wheel (SOURCE_DATE_EPOCH)."""

    def build_extensions(self) -> None:
        for extension in self.extensions:
            extension.extra_compile_args.append(f"-ffile-prefix-map={Path.cwd()}=.")
        super().build_extensions()


setup(cmdclass={"build_py": BuildWithShare, "build_ext": BuildAnywhere})

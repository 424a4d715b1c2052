# SPDX-License-Identifier: BSD-3-Clause
"""The documentation site: `make docs`.

Sphinx with MyST: pages are Markdown like the repository's others, autodoc reads the Google-style docstrings, and every
reference that leads nowhere is a warning, which fails the build; mkdocs leaves references in docstrings unchecked.
"""

import sys
from pathlib import Path

from pyharness import __version__

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs" / "extensions"))

project = "pyharness"
author = "the pyharness maintainers"
project_copyright = f"{author}, BSD-3-Clause"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reference", "links"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["extensions"]
nitpicky = True
# what other projects' documentation holds: the build is offline, so that those are names without a link
nitpick_ignore_regex = [(r"py:.*", r"(?!pyharness).*"), (r"py:class", r"pyharness\..*\._\w+")]
# in signatures, and nothing for a user to make or to look into
nitpick_ignore = [
    ("py:class", f"pyharness.{name}")
    for name in ("cosim.session.Session", "veriloga.graph.Expr", "veriloga.system.System")
]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config, model_post_init"}
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False

html_theme = "furo"
html_title = f"pyharness {release}"
html_copy_source = False

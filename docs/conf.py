"""How the documentation is built: ``python -m sphinx -W -b html docs docs/_build/html``."""

from __future__ import annotations

from dendrosim import __version__

project = "dendrosim"
author = "The dendrosim authors"
copyright = "2026, the dendrosim authors. Apache-2.0"
release = version = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
autosummary_generate = True
autosummary_imported_members = False
autodoc_typehints = "none"  # the docstrings say it with shapes and units
numpydoc_show_class_members = False  # autosummary lists them
default_role = "code"
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"dendrosim {release}"

"""How the documentation is built: ``python -m sphinx -W -b html docs docs/_build/html``.

With ``-t slow`` the examples named ``slow_*.py`` run as well; without it they are shown, but not executed. So is the
tutorial on PyTorch models where PyTorch is not installed; the page says so, and shows the output that it had elsewhere.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "_extensions"))

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
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxext.opengraph",
    "dendrosim_site",
]
exclude_patterns = ["_build", "_extensions", "_templates", "tutorials", "gallery"]
templates_path = ["_templates"]
default_role = "code"
suppress_warnings = ["toc.empty_glob", "config.cache"]  # sections may be empty; a function in the settings is no fault

myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_imported_members = False
autodoc_typehints = "none"  # the docstrings say it with shapes and units
numpydoc_show_class_members = False  # autosummary lists them

# MathJax lies beside the pages (see dendrosim_site); its menu would ask a server for more
mathjax_path = "mathjax/tex-chtml-full.js"
mathjax3_config = {"options": {"enableMenu": False}, "chtml": {"mtextInheritFont": True}}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

ogp_site_url = ""
ogp_social_cards = {"enable": False}
ogp_enable_meta_description = True

slow = tags.has("slow")  # type: ignore[name-defined]  # noqa: F821  (given by Sphinx)
if find_spec("torch") is not None:
    tags.add("torch")  # type: ignore[name-defined]  # noqa: F821
left_out = [*([] if slow else ["slow_"]), *([] if find_spec("torch") else ["7_auditing_a_torch_model"])]
sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "gallery"],
    "gallery_dirs": ["generated/tutorials", "generated/gallery"],
    "filename_pattern": r"[/\\]" + "".join(f"(?!{name})" for name in left_out) + r"[^/\\]+\.py$",
    "within_subsection_order": "dendrosim_site.position",
    "backreferences_dir": "generated/examples",
    "doc_module": ("dendrosim",),
    "reset_modules": ("matplotlib", "dendrosim_site.strictly"),
    "reset_modules_order": "both",
    "remove_config_comments": True,
    "capture_repr": (),  # what is to be read is printed
    "image_srcset": ["2x"],
    "thumbnail_size": (480, 360),
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e6,  # times of a shared machine say nothing to readers
    "download_all_examples": False,
}

html_theme = "furo"
html_title = f"dendrosim {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "light_logo": "logo-light.svg",
    "dark_logo": "logo-dark.svg",
    "sidebar_hide_name": True,
    "light_css_variables": {
        "color-brand-primary": "#0B4F82",
        "color-brand-content": "#0B5C94",
        "color-brand-visited": "#5B4A8A",
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', sans-serif",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7CC4F0",
        "color-brand-content": "#7CC4F0",
        "color-brand-visited": "#B9A6E8",
    },
}

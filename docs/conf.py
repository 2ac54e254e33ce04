"""How Sphinx builds the documentation: ``make docs``."""

import sys
from pathlib import Path

import handlore

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "handlore"
author = "the handlore contributors"
project_copyright = author
version = release = handlore.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_click",
    "sphinx_copybutton",
    "handlore_reference",
]
exclude_patterns = ["_ext", "_static", "pictures"]
nitpicky = True
# Help texts and docstrings write code in single backticks.
default_role = "code"
smartquotes = False

myst_enable_extensions = ["deflist", "fieldlist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.strikethrough"]

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
# Types of other packages and of modules without a page have nothing to link to.
nitpick_ignore_regex = [("py:.*", ".*")]

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = False

html_theme = "furo"
html_title = "handlore"
html_static_path = ["_static"]
html_css_files = ["handlore.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}

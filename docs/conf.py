"""How Sphinx builds the documentation (`make docs`)."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).resolve().parent.parent

# Before anything imports Airflow: without this it writes its configuration into the home directory.
os.environ.setdefault("AIRFLOW_HOME", str(ROOT / ".cache" / "docs-airflow"))
logging.getLogger("airflow").setLevel(logging.WARNING)  # it logs that it reads its configuration
sys.path.insert(0, str(ROOT))

from airflow_provider_retell import __version__  # noqa: E402

REPOSITORY = "https://github.com/airflow-provider-retell/airflow-provider-retell"

project = "airflow-provider-retell"
author = "The airflow-provider-retell authors"
copyright = author  # noqa: A001 - Sphinx's name
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["images/*"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# Every reference into this package has to resolve. Airflow, pydantic, aiohttp and the like are named, not linked:
# their inventories would have to be fetched, and a build needs no network.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!airflow_provider_retell)[\w.]+(\[.*)?"),
    (r"py:.*", r"airflow_provider_retell\.[\w.]+\.[A-Z](_co)?(\[.*)?"),  # type variables
    # Types in the signatures of public names that users need not know.
    (r"py:.*", r"airflow_provider_retell\.api\.(request|response_model|body)\..*"),
    (r"py:.*", r"airflow_provider_retell\.api\.calls\.(bodies|filters|models)\..*"),
    (r"py:.*", r"airflow_provider_retell\.api\.(quota\.Quotas|knowledge_bases\.bodies\.\w+)"),
    (r"py:.*", r"airflow_provider_retell\.(clock\.FastClock|bulk\.rows\.\w+|emulator\.(\w+\.)+\w+)"),
    (r"py:.*", r"airflow_provider_retell\.(\w+\.)+_\w+"),
]

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
add_module_names = False
toc_object_entries_show_parents = "hide"

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_line_continuation_character = "\\"

linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*"]
linkcheck_timeout = 20
linkcheck_retries = 2
# Addresses that are examples, or this machine's own.
linkcheck_ignore = [
    r"http://(localhost|127\.0\.0\.1).*",
    r"https://your-.*",
    r"https://dashboard\.retellai\.com/.*",
]

html_theme = "furo"
html_title = f"airflow-provider-retell {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
}


# -- GitHub and the site show the same pages

# Pages that are files of the repository's root. On GitHub they are a link.
WHOLE_FILES = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md"}
ONLY_FOR_THE_SITE = re.compile(r"^<!-- sphinx\n(.*?)\n-->$", flags=re.MULTILINE | re.DOTALL)


def add_directives(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn comments that begin with ``<!-- sphinx`` into the directives in them: GitHub would show them as text."""
    if docname in WHOLE_FILES:
        options = ":relative-docs: docs/\n:relative-images:"
        source[0] = f"```{{include}} ../{WHOLE_FILES[docname]}\n{options}\n```\n"
    source[0] = ONLY_FOR_THE_SITE.sub(r"```{eval-rst}\n\1\n```", source[0])


# -- the reference


def resolve_by_name(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element) -> Any:
    """Find a name of this package that is written short, or by the module that defines instead of exports it."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].lstrip("~.")
    if "." in target and not target.startswith("airflow_provider_retell."):
        return None
    wants_module = node.get("reftype") == "mod"
    name = target.rpartition(".")[2]
    found = {
        entry.node_id: entry
        for full_name, entry in env.domains.python_domain.objects.items()
        if full_name.rpartition(".")[2] == name
        and entry.objtype not in ("method", "attribute")
        and (entry.objtype == "module") == wants_module
    }
    if len(found) != 1:
        return None
    (entry,) = found.values()
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, name)


def skip_generic_models(_app: Sphinx, _what: str, name: str, *_: Any) -> bool | None:
    """Leave out the classes that pydantic creates for generic ones, such as ``Page[Call]``."""
    return True if "[" in name else None


def setup(app: Sphinx) -> None:
    """Connect the functions above to Sphinx."""
    app.connect("source-read", add_directives)
    app.connect("missing-reference", resolve_by_name)
    app.connect("autodoc-skip-member", skip_generic_models)

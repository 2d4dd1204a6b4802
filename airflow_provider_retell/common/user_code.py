"""Find the user's own code in a traceback."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

_PACKAGES = ("airflow", "airflow_provider_retell", "jinja2")
_LIBRARIES = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))


def place_in_user_code(error: BaseException) -> str:
    """Return the innermost line of the user's code that raised *error*, as ``"people(), line 12 of campaign.py"``.

    Code of Airflow, Jinja, this package, the standard library and installed packages is not the user's. The result is
    empty if the traceback has no other code.
    """
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if _is_of_user(code.co_filename, str(frame.f_globals.get("__name__"))):
            # A lambda has no name.
            function = f"{code.co_name}(), " if code.co_name.isidentifier() else ""
            place = f"{function}line {line} of {Path(code.co_filename).name}"
    return place


def _is_of_user(file: str, module: str) -> bool:
    path = Path(file)
    # Compiled templates have names such as "<template>". Not all files below a folder "airflow" are Airflow's.
    return not (
        file.startswith("<")
        or any(path.is_relative_to(library) for library in _LIBRARIES)
        or module.partition(".")[0] in _PACKAGES
        or {"site-packages", "dist-packages"} & set(path.parts)
    )

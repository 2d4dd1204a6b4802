#!/bin/sh
# Create a virtual environment with this project and one Airflow line.
#
#     scripts/setup.sh python3 .venv 3.3 dev                       the checkout (editable) and a dependency group
#     scripts/setup.sh python3 /tmp/venv 2.11.0 dist/NAME.whl      only a wheel
#
# The line is LINE of a file constraints/airflow-LINE.txt, or RELEASE of a file constraints/managed-RELEASE.txt.
# The script writes to the checkout only. It reads proxies and package mirrors from HTTPS_PROXY, PIP_* and UV_*.
set -eu
cd "$(dirname "$0")/.."
python=$1 venv=$2 airflow=$3 what=$4
uv_version=0.13.9

fail() { echo "error: $*" >&2; exit 1; }

constraints=constraints/airflow-$airflow.txt
[ -f "$constraints" ] || constraints=constraints/managed-$airflow.txt
[ -f "$constraints" ] ||
    fail "there is no Airflow line '$airflow': use one of" \
         "$(cd constraints && echo airflow-*.txt | sed 's/airflow-//g; s/\.txt//g')."
"$python" -c '' 2>/dev/null ||
    fail "'$python' does not run: install Python 3.10 or newer, or use make PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "'$python' is $("$python" --version 2>&1), but this project needs 3.10 or newer: make PYTHON=/path/to/python3"
case $airflow in
2.11* | 3.0*)
    "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))' ||
        fail "Airflow $airflow needs Python 3.10 to 3.12, but '$python' is $("$python" --version)." ;;
3.1*)
    "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' ||
        fail "Airflow $airflow needs Python 3.10 to 3.13, but '$python' is $("$python" --version)." ;;
3.4*)
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Airflow $airflow needs Python 3.11 or newer, but '$python' is $("$python" --version)." ;;
esac
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "'$python' lacks the venv module: install it (Debian, Ubuntu: apt-get install python3-venv)."

# uv does not read pip's variables. Pass them on, so that a mirror is configured only once.
[ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
if [ -n "${PIP_EXTRA_INDEX_URL:-}" ]; then
    export UV_INDEX="${UV_INDEX:-$PIP_EXTRA_INDEX_URL}"
    export UV_INDEX_STRATEGY="${UV_INDEX_STRATEGY:-unsafe-best-match}" # like pip: all indexes are equal
fi
[ -z "${PIP_FIND_LINKS:-}" ] ||
    export UV_FIND_LINKS="${UV_FIND_LINKS:-$(echo "$PIP_FIND_LINKS" | tr -s ' \n' ',' | sed 's/,$//')}"
[ -z "${PIP_TRUSTED_HOST:-}" ] || export UV_INSECURE_HOST="${UV_INSECURE_HOST:-$PIP_TRUSTED_HOST}"
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"
export UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.cache/uv}" UV_PYTHON_DOWNLOADS=never
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! "$venv/bin/python$version" -m pip --version >/dev/null 2>&1; then
    echo "Creating $venv with Python $version ..."
    "$python" -m venv --clear "$venv"
fi
case $what in
*.whl) echo "Installing Airflow $airflow and $what into $venv ..." && set -- "$what" ;;
*) echo "Installing Airflow $airflow and the development tools into $venv ..." && set -- --editable . --group "$what" ;;
esac
"$venv/bin/python" -m pip install --quiet --no-cache-dir "uv==$uv_version"
"$venv/bin/python" -m uv pip install --quiet --python "$venv/bin/python" \
    --constraint "$constraints" "$@"

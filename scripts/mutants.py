"""Change the package in many small ways and report the changes that no test notices (mutation testing).

mutmut makes the mutants, finds the tests that run a mutated function, and forks one process per mutant after Airflow
and the tests have been imported. This script maps modules to fast tests (scripts/mutants.toml), runs mutmut once per
group of modules in .cache/mutants/GROUP, and prints the score of each module and its survivors.

    python scripts/mutants.py                       every group
    python scripts/mutants.py api/retry 'bulk/*'    these modules
    python scripts/mutants.py retries rows          the modules of these groups
    python scripts/mutants.py --sample 20           at most 20 mutants of each module, always the same ones
    python scripts/mutants.py --survivors           only the mutants that survived the last run

It needs Python 3.11 or newer. It exits with 1 if a module has a lower score than its target.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "airflow_provider_retell"
WORK = ROOT / ".cache" / "mutants"
CONFIG = tomllib.loads((ROOT / "scripts" / "mutants.toml").read_text(encoding="utf-8"))
KILLED = ("killed", "timeout", "segfault")
SETTINGS = """
[tool.mutmut]
source_paths = ["{package}"]
only_mutate = {modules}
also_copy = ["docs", "scripts"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:xdist", "-m", "not slow and not system and not soak"]
# The words of log messages may change.
do_not_mutate_patterns = ['\\blog\\.(debug|info|warning|error|exception)\\(']
timeout_multiplier = 10.0
use_git_change_detection = false
# The tests of a process that has run others would miss its threads, for example the event loop of the hooks.
process_isolation = "forkserver"
"""


def matches(module: str, patterns: list[str]) -> bool:
    """Return whether one of the patterns describes a module; `*` does not match a `/`."""
    return any(fnmatch.fnmatch(module, each) and module.count("/") == each.count("/") for each in patterns)


def modules_of(patterns: list[str]) -> list[str]:
    """Return the modules of the package that the patterns describe."""
    files = (path for path in (ROOT / PACKAGE).rglob("*.py") if path.stem != "__init__")
    names = (path.relative_to(ROOT / PACKAGE).with_suffix("").as_posix() for path in files)
    return sorted(name for name in names if matches(name, patterns))


def run_group(name: str, options: argparse.Namespace) -> list[dict[str, str]]:
    """Run mutmut for one group and return its results: one dictionary per mutant."""
    group, folder = CONFIG["groups"][name], WORK / name
    names = None
    if options.survivors:
        if not (folder / "results.json").exists():
            sys.exit(f"error: there are no results of {name}: run its mutants without --survivors first.")
        names = [each["name"] for each in last_results(name) if each["status"] not in KILLED]
    else:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for each in (PACKAGE, "tests", "docs", "scripts"):
        (folder / each).unlink(missing_ok=True)
        (folder / each).symlink_to(ROOT / each)
    tests = sorted({str(path.relative_to(ROOT)) for each in group["tests"] for path in ROOT.glob(each)})
    left_out = CONFIG["left_out"] + group.get("slow_tests", [])
    settings = SETTINGS.format(
        package=PACKAGE,
        modules=json.dumps([f"{PACKAGE}/{module}.py" for module in modules_of(group["modules"])]),
        tests=json.dumps(tests + [f"--deselect={each}" for each in left_out]),
    )
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8") + settings
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    (folder / "options.json").write_text(json.dumps(vars(options) | {"names": names}), encoding="utf-8")
    (folder / "results.json").unlink(missing_ok=True)
    (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)  # tests may have changed
    environment = os.environ | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        command = [sys.executable, __file__, "--in-group"]
        code = subprocess.call(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    if code or not (folder / "results.json").exists():
        sys.exit(f"error: mutmut failed with exit code {code}; see {folder.relative_to(ROOT)}/log.txt.")
    return last_results(name)


def last_results(name: str) -> list[dict[str, str]]:
    """Return the results of the last run of a group: one dictionary per mutant that was tested."""
    file = WORK / name / "results.json"
    results: list[dict[str, str]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return results


def run_mutmut() -> None:
    """Run mutmut in the current directory, the folder of a group, and write results.json."""
    import libcst as cst
    import mutmut.__main__ as tool
    from mutmut.mutation import file_mutation, mutators
    from mutmut.workers.isolation import ForkServerRunner

    options = json.loads(Path("options.json").read_text(encoding="utf-8"))
    collect, mutate_text = tool.collect_source_file_mutation_data, mutators.operator_string
    skip_node = file_mutation.MutationVisitor._skip_node_and_children
    parts: set[Any] = set()

    def module_of(data: Any) -> str:
        return str(Path(data.path).relative_to(PACKAGE).with_suffix(""))

    def mutate_data(node: Any) -> Any:
        mutants, value = list(mutate_text(node)), getattr(node, "value", "")
        return [] if " " in value else mutants[:1] if "-" in value else mutants

    def selected(**_: Any) -> Any:
        # The fastest test first.
        tests, durations = tool.state().tests_by_mangled_function_name, tool.state().duration_by_test
        tests.update({name: sorted(ids, key=durations.__getitem__) for name, ids in tests.items()})
        mutants, by_path = collect(mutant_names=())
        by_module = defaultdict(list)
        for data, name, _ in mutants:
            is_named = options["names"] is None or name in options["names"]
            if is_named and matches(module_of(data), options["modules"]):
                by_module[module_of(data)].append((data, name, None))
        chosen = []
        for entries in by_module.values():
            if options["sample"] and len(entries) > options["sample"]:
                entries = random.Random(0).sample(entries, options["sample"])  # noqa: S311
            chosen += entries
        return chosen, by_path

    def skip(visitor: Any, node: Any) -> Any:
        if isinstance(node, cst.ConcatenatedString):
            parts.update((node.left, node.right))
        return skip_node(visitor, node) or (isinstance(node, cst.SimpleString) and node in parts)

    # The words of messages may change. Strings without a space are data: keys, paths, names. Strings with a hyphen are
    # mostly names of HTTP headers, whose case does not matter. A string of several parts is a message.
    operators: Any = mutators.mutation_operators
    operators[:] = [(kind, mutate_data if op is mutate_text else op) for kind, op in operators]
    file_mutation.NEVER_MUTATE_FUNCTION_CALLS.add("cast")  # does nothing when it runs
    file_mutation.MutationVisitor._skip_node_and_children = skip
    tool.collect_source_file_mutation_data = selected
    # The collection of statistics has run the same tests without mutants.
    ForkServerRunner.run_clean_tests = lambda *_, **__: 0
    tool._run((), options["jobs"])

    results = []
    mutants, _ = collect(mutant_names=())
    for data, name, code in mutants:
        status = tool.status_by_exit_code[code]
        if status == "not checked" or not matches(module_of(data), options["modules"]):
            continue
        result = {"module": module_of(data), "name": name, "status": status}
        if status not in KILLED:
            lines = tool.get_diff_for_mutant(name, path=data.path).splitlines()[2:]
            result["before"] = " ".join(" ".join(line[1:] for line in lines if line[0] == "-").split())
            result["after"] = " ".join(" ".join(line[1:] for line in lines if line[0] == "+").split())
        results.append(result)
    Path("results.json").write_text(json.dumps(results), encoding="utf-8")


def accepted(result: dict[str, str]) -> bool:
    """Return whether scripts/mutants.toml gives a reason why no test has to kill this mutant."""
    return any(
        entry["before"] in result["before"] and entry.get("after", "") in result["after"]
        for entry in CONFIG.get("accepted", {}).get(result["module"], [])
    )


def report(results: list[dict[str, str]]) -> bool:
    """Print the survivors and the scores; return whether all modules reach their target."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    reached = True
    for result in results:
        count = counts[result["module"]]
        count["mutants"] += 1
        if result["status"] in KILLED:
            count["killed"] += 1
            count["timeouts"] += result["status"] == "timeout"
        elif accepted(result):
            count["accepted"] += 1
        else:
            print(f"{result['name']} ({result['status']})\n  - {result['before']}\n  + {result['after']}")
    print(f"\n{'module':36} {'mutants':>8} {'killed':>8} {'timeouts':>8} {'accepted':>8} {'score':>8}")
    for module, count in sorted(counts.items()):
        score = 100 * count["killed"] / max(count["mutants"] - count["accepted"], 1)
        below = score < CONFIG["target"]["score"] and matches(module, CONFIG["target"]["modules"])
        reached = reached and not below
        numbers = f"{count['mutants']:8} {count['killed']:8} {count['timeouts']:8} {count['accepted']:8} {score:7.1f}%"
        print(f"{module:36} {numbers}{'  below the target' if below else ''}")
    return reached


def main() -> None:
    """Run the groups of the modules on the command line, or all groups."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--report", action="store_true", help="only print the results of the last runs")
    parser.add_argument("--in-group", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_group:
        return run_mutmut()
    groups = CONFIG["groups"]
    patterns = [each for name in options.modules for each in groups.get(name, {"modules": [name]})["modules"]]
    wanted = modules_of(patterns) if patterns else None
    results, found = [], False
    for name, group in groups.items():
        modules = modules_of(group["modules"])
        options.modules = modules if wanted is None else [each for each in modules if each in wanted]
        if not options.modules:
            continue
        found = True
        if options.report:
            results += [each for each in last_results(name) if each["module"] in options.modules]
        else:
            print(f"{name} ...", flush=True)
            results += run_group(name, options)
    if not found:
        sys.exit("error: scripts/mutants.toml has no such group, and no group with such a module.")
    sys.exit(0 if report(results) else 1)


if __name__ == "__main__":
    main()

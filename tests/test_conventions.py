# SPDX-License-Identifier: MIT
"""What holds for every file of the project."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "softswitch": set(),
    "hosts": {"softswitch"},
    "topologies": {"softswitch", "hosts"},
    "controller": {"softswitch", "hosts", "topologies"},
    "verification": {"softswitch", "hosts", "topologies", "controller"},
    "inca": {"softswitch", "hosts", "topologies", "controller", "verification"},
}
MAX_LINES = 500
CODE_SUFFIXES = {".py", ".c", ".h", ".p4", ".sh"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def code_files() -> list[Path]:
    scripts = {ROOT / "Makefile", ROOT / ".ci/run"}
    in_tools = {p for p in tracked() if p.parent == ROOT / "tools"}
    return [p for p in tracked() if p.suffix in CODE_SUFFIXES or p in scripts | in_tools]


def imported_packages(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_every_file_says_its_licence() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in code_files()
        if "SPDX-License-Identifier: " not in "".join(path.read_text().splitlines(True)[:3])
    ]
    assert silent == []


def test_no_file_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in code_files()
        if (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_files_that_import_scapy_are_gpl_and_no_others() -> None:
    for path in tracked():
        if path.suffix != ".py":
            continue
        gpl = "SPDX-License-Identifier: GPL-2.0-only" in path.read_text()[:200]
        assert gpl == ("scapy" in imported_packages(path)), path.relative_to(ROOT)


@pytest.mark.parametrize("package", FLOORS)
def test_packages_import_only_from_floors_below(package: str) -> None:
    for path in sorted((ROOT / package).rglob("*.py")):
        ours = imported_packages(path) & set(FLOORS)
        assert ours <= FLOORS[package] | {package}, path.relative_to(ROOT)


def test_nothing_ends_processes_by_name_or_runs_mininets_cleanup() -> None:
    words = re.compile(r"\b(?:pkill|killall)\b|\bmn -c\b")
    this = Path(__file__)
    guilty = [p for p in code_files() if p != this and words.search(p.read_text())]
    assert guilty == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in (p for p in tracked() if p.suffix == ".md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_make_target_that_is_described_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in (p for p in tracked() if p.suffix == ".md"):
        # Only code spans and console lines: prose may well say that people make things.
        code = re.findall(r"(?:`|^\$ )make ([a-z-]+)", page.read_text(), re.MULTILINE)
        assert set(code) <= targets, page.relative_to(ROOT)


def test_no_two_test_modules_have_one_name() -> None:
    """Outside packages pytest knows a module by its base name: it could not collect both."""
    seen: dict[str, Path] = {}
    twice = []
    for path in tracked():
        alone = path.match("tests/**/test_*.py") and not (path.parent / "__init__.py").exists()
        if alone and seen.setdefault(path.name, path) != path:
            twice.append(f"{path.relative_to(ROOT)} and {seen[path.name].relative_to(ROOT)}")
    assert twice == []

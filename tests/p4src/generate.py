# SPDX-License-Identifier: MIT
"""``python -m tests.p4src.generate`` writes all STF files anew."""

from tests.p4src.registry import all_tests, stf_files, stf_path


def main() -> None:
    """Write every file, and remove those that no scenario makes."""
    written = set()
    for (program, name), maker in all_tests().items():
        path = stf_path(program, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(maker().text(), encoding="utf-8")
        written.add(path)
    for path in stf_files() - written:
        path.unlink()
    print(f"{len(written)} packet tests written")


if __name__ == "__main__":
    main()

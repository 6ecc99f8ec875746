#!/usr/bin/env python3
"""How much of the SQL of indicators stands elsewhere too.

    python3 tests/sql_copies.py [sql/indicators] [--run 6] [--limit 15]

Counts code lines (no blank ones, no comments, indentation aside) and those that are a second copy: part of a run of at least so many lines that
stood before, in this file or one read earlier. Exit code 1 when the share is above the limit. Prints the figures and the longest copies.
"""
import argparse
import sys
from pathlib import Path


def code(path):
    """The code lines of a file, with their numbers."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return [(number, line.strip()) for number, line in lines if line.strip() and not line.strip().startswith("--")]


def copies(files, run):
    """Per file the indexes of lines that are a second copy, and the copied stretches."""
    seen, marked, stretches = {}, {}, []
    for path, lines in files.items():
        texts = [text for _, text in lines]
        at = marked.setdefault(path, set())
        fresh = {}
        for start in range(len(texts) - run + 1):
            window = tuple(texts[start:start + run])
            # What stands in this file must not overlap with its copy.
            first = seen.get(window) or (fresh[window] if window in fresh and fresh[window][1] + run <= start else None)
            if first:
                at.update(range(start, start + run))
            fresh.setdefault(window, (path, start))
        for window, place in fresh.items():
            seen.setdefault(window, place)
        start = None
        for index in range(len(texts) + 1):
            if index in at and start is None:
                start = index
            elif index not in at and start is not None:
                stretches.append((index - start, path, lines[start][0], lines[index - 1][0]))
                start = None
    return marked, sorted(stretches, key=lambda s: (-s[0], str(s[1]), s[2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).resolve().parent.parent / "sql/indicators"))
    parser.add_argument("--run", type=int, default=6, help="lines in a row that make a copy")
    parser.add_argument("--limit", type=float, default=15.0, help="per cent of code lines")
    parser.add_argument("--top", type=int, default=10, help="copies shown")
    given = parser.parse_args()
    files = {path: code(path) for path in sorted(Path(given.folder).rglob("*.sql"))}
    marked, stretches = copies(files, given.run)
    all_lines, second = sum(map(len, files.values())), sum(map(len, marked.values()))
    share = 100 * second / max(all_lines, 1)
    for length, path, first, last in stretches[:given.top]:
        print(f"{length:5} lines  {path.relative_to(given.folder)}:{first}-{last}")
    print(f"{len(files)} files, {all_lines} code lines, {second} of them ({share:.1f} %) second copies of {given.run} lines or more in a row; limit {given.limit:.0f} %")
    sys.exit(share > given.limit)


if __name__ == "__main__":
    main()

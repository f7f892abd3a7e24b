#!/usr/bin/env python3
"""Holds every #include under src/ to the component table in src/CMakeLists.txt.

  tools/check_layers.py [ROOT]     one line per violation, exit status 1 where there is any

Rules (ARCHITECTURE.md has the reasons):
  1. A component includes itself, its DEPENDS and what those depend on, by paths from src/.
  2. ops/ref, ops/cpu and ops/cuda never include each other.
  3. Nobody under src/ includes apps/.
  4. laws, plan and report are computed from values in memory: neither they nor any header they reach include
     threads, files, SQLite, CUDA, tensors or ops. (Their tests may.)
"""
import pathlib
import re
import sys

BACKENDS = ("ops/ref", "ops/cpu", "ops/cuda")
PURE = ("laws", "plan", "report")
IMPURE_SYSTEM = re.compile(r"(thread|mutex|future|condition_variable|filesystem|fstream|unistd\.h|sys/.*|fcntl\.h"
                           r"|(.*/)?sqlite.*|(.*/)?SQLiteCpp.*|(.*/)?cuda.*)$", re.IGNORECASE)
IMPURE_OWN = re.compile(r"(base/file\.h|base/parallel\.h|tensor/.*|ops/.*)$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
SOURCES = (".h", ".cpp", ".cu", ".cuh", ".inc")


def component_table(cmake_text):
    """{component: components it may include directly} from the bitlaw_component(...) calls."""
    table = {}
    text = re.sub(r"#[^\n]*", "", cmake_text)
    for arguments in re.findall(r"bitlaw_component\(([^)]*)\)", text):
        words = arguments.split()
        table[words[0]] = []
        keyword = None
        for word in words[1:]:
            if word in ("DEPENDS", "LIBRARIES", "TEST_LABELS"):
                keyword = word
            elif keyword == "DEPENDS":
                table[words[0]].append(word)
    return table


def reachable(table, component):
    seen, waiting = set(), [component]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += table.get(name, [])
    return seen


def includes_of(path):
    """[(line number, '"' or '<', what is included)]"""
    text = path.read_text(errors="replace")
    return [(text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]


def backend_of(name):
    return next((b for b in BACKENDS if name.startswith(b + "/")), None)


def impure_path(src, name, trail, seen):
    """How the file `name` reaches something a pure component must not: a list of steps, or None."""
    path = src / name
    if name in seen or not path.exists():
        return None
    seen.add(name)
    for _, kind, target in includes_of(path):
        if (kind == "<" and IMPURE_SYSTEM.match(target)) or (kind == '"' and IMPURE_OWN.match(target)):
            return trail + [name, "<%s>" % target if kind == "<" else target]
        if kind == '"':
            found = impure_path(src, target, trail + [name], seen)
            if found:
                return found
    return None


def violations(root):
    src = root / "src"
    table = component_table((src / "CMakeLists.txt").read_text())
    found = []
    for component, depends in table.items():
        for name in depends:
            if name not in table:
                found.append("src/CMakeLists.txt: %s depends on %s, which is not a component" % (component, name))
            elif component in reachable(table, name):
                found.append("src/CMakeLists.txt: %s and %s depend on each other" % (component, name))
    for path in sorted(p for p in src.rglob("*") if p.suffix in SOURCES):
        name = path.relative_to(src).as_posix()
        component = name.split("/")[0]
        if component not in table:
            found.append("src/%s: its folder is not in the component table of src/CMakeLists.txt" % name)
            continue
        allowed = reachable(table, component)
        for line, kind, target in includes_of(path):
            where = "src/%s:%d" % (name, line)
            owner = target.split("/")[0]
            if kind == "<" and owner in table and (src / target).exists():
                found.append('%s: <%s> is one of ours; write "%s"' % (where, target, target))
            if kind == "<":
                continue
            if owner == "apps" or owner == ".." or target.startswith("cli/"):
                found.append('%s: "%s" is not under src/; nothing in src/ includes apps' % (where, target))
            elif owner not in table:
                found.append('%s: "%s" does not begin with a component; paths start at src/' % (where, target))
            elif owner not in allowed:
                found.append("%s: %s may not include %s (%s)" % (where, component, owner, target))
            mine, other = backend_of(name), backend_of(target)
            if mine and other and mine != other:
                found.append("%s: %s may not include %s (%s)" % (where, mine, other, target))
        if component in PURE and not path.stem.endswith("_test"):
            steps = impure_path(src, name, [], set())
            if steps:
                found.append("src/%s: %s knows no threads, files, databases or tensors, but %s" %
                             (name, component, " includes ".join(steps)))
    return found


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = violations(root)
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

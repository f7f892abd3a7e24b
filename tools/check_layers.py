#!/usr/bin/env python3
"""Checks every #include under src/ against the component table in src/CMakeLists.txt.

  tools/check_layers.py [ROOT]     one line per violation, exit status 1 if there is any

Rules (ARCHITECTURE.md has the reasons):
  1. A component is one folder: src/NAME (ground) or src/engine|science|study/NAME. Its files include
     the component itself, its DEPENDS and what those depend on; tests (*_test.cpp, *_for_tests.h)
     also TEST_DEPENDS. The path of an include begins with the component's name.
  2. Engine and science never depend on each other, the ground depends on no tower, and only study
     joins them.
  3. Every DEPENDS is used by an #include; one that only tests use is a TEST_DEPENDS.
  4. ops/ref, ops/cpu and ops/cuda never include each other.
  5. Nothing under src/ includes apps/.
  6. laws, plan and report compute from values in memory: neither they nor any header they reach
     include threads, files, SQLite, CUDA, tensors or ops. (Their tests may.)
  7. Laws are known through the registry: only laws itself and tests include laws/forms/ or have a
     law's name as a string (in `table`, "quest" is the name of a file format).
  8. The picture in ARCHITECTURE.md shows every component once, in its tower, above what it depends on.
  9. Under src/ and apps/ nothing prints on standard error with fmt::print, which throws where that
     is full: base/say.h does it. (Tests may.)
"""
import pathlib
import re
import sys

TOWERS = ("engine", "science", "study")
MAY_DEPEND_ON = {"ground": ("ground",), "engine": ("ground", "engine"), "science": ("ground", "science"),
                 "study": ("ground", "engine", "science", "study")}
BACKENDS = ("ops/ref", "ops/cpu", "ops/cuda")
PURE = ("laws", "plan", "report")
IMPURE_SYSTEM = re.compile(r"(thread|mutex|future|condition_variable|filesystem|fstream|unistd\.h|sys/.*|fcntl\.h"
                           r"|(.*/)?sqlite.*|(.*/)?SQLiteCpp.*|(.*/)?cuda.*)$", re.IGNORECASE)
IMPURE_OWN = re.compile(r"(base/file\.h|base/parallel\.h|tensor/.*|ops/.*)$")
LAW_NAME = re.compile(r'\bkName\s*=\s*"([^"]+)"')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
THROWING_PRINT = re.compile(r"fmt::print\(\s*stderr\b")
SOURCES = (".h", ".cpp", ".cu", ".cuh", ".inc")


class Component:
    def __init__(self, path):
        self.path = path  # from src/: engine/ops
        self.tower = path.split("/")[0] if "/" in path else "ground"
        self.depends, self.test_depends = [], []


def component_table(cmake_text):
    """{name: Component} from the bitlaw_component(PATH ...) calls."""
    table = {}
    text = re.sub(r"#[^\n]*", "", cmake_text)
    for arguments in re.findall(r"bitlaw_component\(([^)]*)\)", text):
        words = arguments.split()
        component = table[words[0].split("/")[-1]] = Component(words[0])
        keyword = None
        for word in words[1:]:
            if word in ("DEPENDS", "TEST_DEPENDS", "LIBRARIES", "TEST_LABELS", "THREAD_TESTS"):
                keyword = word
            elif keyword == "DEPENDS":
                component.depends.append(word)
            elif keyword == "TEST_DEPENDS":
                component.test_depends.append(word)
    return table


def reachable(table, names):
    seen, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += table[name].depends if name in table else []
    return seen


def includes_of(path):
    """[(line number, '"' or '<', what is included)]"""
    text = path.read_text(errors="replace")
    return [(text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2)) for m in INCLUDE.finditer(text)]


def backend_of(name):
    return next((b for b in BACKENDS if name.startswith(b + "/")), None)


def file_of(src, table, target):
    """The file that the include path `target` names, or None."""
    owner = target.split("/")[0]
    if owner not in table:
        return None
    path = src / table[owner].path / target[len(owner) + 1:]
    return path if path.is_file() else None


def impure_path(src, table, name, trail, seen):
    """How the include path `name` reaches something a pure component must not: a list of steps, or None."""
    path = file_of(src, table, name)
    if name in seen or not path:
        return None
    seen.add(name)
    for _, kind, target in includes_of(path):
        if (kind == "<" and IMPURE_SYSTEM.match(target)) or (kind == '"' and IMPURE_OWN.match(target)):
            return trail + [name, "<%s>" % target if kind == "<" else target]
        if kind == '"':
            found = impure_path(src, table, target, trail + [name], seen)
            if found:
                return found
    return None


def table_violations(table):
    where = "src/CMakeLists.txt"
    found = []
    for name, component in table.items():
        for other in component.depends + component.test_depends:
            if other not in table:
                found.append("%s: %s depends on %s, which is not a component" % (where, name, other))
            elif other in component.depends and name in reachable(table, [other]):
                found.append("%s: %s and %s depend on each other" % (where, name, other))
            elif table[other].tower not in MAY_DEPEND_ON[component.tower]:
                found.append("%s: %s (%s) may not depend on %s (%s)" %
                             (where, name, component.tower, other, table[other].tower))
    return found


def is_test(path):
    return path.stem.endswith("_test") or path.stem.endswith("_for_tests")


def component_of(table, name):
    """The component that the file src/`name` belongs to, or None."""
    parts = name.split("/")
    own = parts[1] if parts[0] in TOWERS and len(parts) > 2 else parts[0]
    return own if own in table and name.startswith(table[own].path + "/") else None


def include_violations(where, component, target, kind, table, allowed, src):
    """What is wrong with one include, as a list of sentences."""
    owner = target.split("/")[0]
    if kind == "<":
        return ['%s: <%s> is one of ours; write "%s"' % (where, target, target)] if file_of(src, table, target) else []
    if owner in ("apps", "..") or target.startswith("cli/"):
        return ['%s: "%s" is not under src/; nothing in src/ includes apps' % (where, target)]
    if owner not in table:
        return ['%s: "%s" does not begin with a component' % (where, target)]
    if owner not in allowed:
        return ["%s: %s may not include %s (%s)" % (where, component, owner, target)]
    return []


def law_names(src, table):
    """Names of the laws in laws/forms."""
    forms = src / table["laws"].path / "forms" if "laws" in table else None
    return {name for path in forms.glob("*.h") for name in LAW_NAME.findall(path.read_text())} if forms else set()


def law_violations(src, name, component, names):
    """Where the file src/`name` knows one law by name."""
    text = (src / name).read_text(errors="replace")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        where = "src/%s:%d" % (name, number)
        code = line.split("//")[0]
        if re.search(r'#\s*include\s*"laws/forms/', code):
            found.append("%s: %s may not include one law; the registry has them all" % (where, component))
        found += ["%s: %s names the law %s; make it a property that the registry has" % (where, component, law)
                  for law in sorted(names) if '"%s"' % law in code]
    return found


def unused_violations(table, used, used_by_tests):
    found = []
    for name, component in table.items():
        for other in component.depends:
            if (name, other) not in used and other in table:
                tests = "; only tests do: make it a TEST_DEPENDS" if (name, other) in used_by_tests else ""
                found.append("src/CMakeLists.txt: %s depends on %s, but includes nothing of it%s" % (name, other, tests))
        for other in component.test_depends:
            if (name, other) not in used_by_tests and other in table:
                found.append("src/CMakeLists.txt: the tests of %s depend on %s, but include nothing of it" % (name, other))
    return found


def picture_of(text):
    """[(component, tower, line)] from the picture in ARCHITECTURE.md: the first code block."""
    block = text.split("```")[1] if text.count("```") >= 2 else ""
    drawn, region = [], None
    for number, line in enumerate(block.splitlines()):
        words = line.split()
        if not words or set(line.strip()) <= set("-"):
            continue
        if words[0].lower() in ("study", "ground", "apps/cli", "engine"):
            region = words[0].lower()
            line = line.replace(words[0], "", 1).replace("SCIENCE", "")
        left, _, right = line.partition("|")
        drawn += [(word, region, number) for word in left.split()]
        drawn += [(word, "science", number) for word in right.split()]
    return [d for d in drawn if d[1] != "apps/cli"]


def picture_violations(table, text):
    drawn, found = {}, []
    for name, tower, line in picture_of(text):
        if name not in table:
            found.append("ARCHITECTURE.md: the picture shows %s, which is not a component" % name)
        elif name in drawn:
            found.append("ARCHITECTURE.md: the picture shows %s twice" % name)
        elif table[name].tower != tower:
            found.append("ARCHITECTURE.md: the picture shows %s in %s; it is in %s" % (name, tower, table[name].tower))
        drawn[name] = line
    for name, component in table.items():
        if name not in drawn:
            found.append("ARCHITECTURE.md: the picture does not show %s" % name)
        for other in component.depends:
            if name in drawn and other in drawn and drawn[other] <= drawn[name]:
                found.append("ARCHITECTURE.md: the picture does not show %s above %s, on which it depends" % (name, other))
    return found


def print_violations(root):
    found = []
    for folder in ("src", "apps"):
        for path in sorted(p for p in (root / folder).rglob("*") if p.suffix in SOURCES and not is_test(p)):
            text = path.read_text()
            for match in THROWING_PRINT.finditer(text):
                found.append("%s:%d: fmt::print throws where standard error is full; use say() of base/say.h" %
                             (path.relative_to(root).as_posix(), text.count("\n", 0, match.start()) + 1))
    return found


def violations(root):
    src = root / "src"
    table = component_table((src / "CMakeLists.txt").read_text())
    found = table_violations(table)
    used, used_by_tests = set(), set()
    names = law_names(src, table)
    for path in sorted(p for p in src.rglob("*") if p.suffix in SOURCES):
        name = path.relative_to(src).as_posix()
        component = component_of(table, name)
        if not component:
            found.append("src/%s: its folder is not in the component table of src/CMakeLists.txt" % name)
            continue
        test = is_test(path)
        allowed = reachable(table, [component] + (table[component].test_depends if test else []))
        if component != "laws" and not test:
            found += law_violations(src, name, component, set() if component == "table" else names)
        own = component + name[len(table[component].path):]  # its include path
        for line, kind, target in includes_of(path):
            where = "src/%s:%d" % (name, line)
            found += include_violations(where, component, target, kind, table, allowed, src)
            (used_by_tests if test else used).add((component, target.split("/")[0]))
            mine, other = backend_of(own), backend_of(target)
            if mine and other and mine != other:
                found.append("%s: %s may not include %s (%s)" % (where, mine, other, target))
        if component in PURE and not test:
            steps = impure_path(src, table, own, [], set())
            if steps:
                found.append("src/%s: %s knows no threads, files, databases or tensors, but %s" %
                             (name, component, " includes ".join(steps)))
    found += unused_violations(table, used, used_by_tests)
    found += print_violations(root)
    picture = root / "ARCHITECTURE.md"
    if picture.exists():
        found += picture_violations(table, picture.read_text())
    return found


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    found = violations(root)
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

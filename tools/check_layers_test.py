#!/usr/bin/env python3
"""check_layers.py on small made-up trees: each rule broken once, and a tree that breaks none."""
import pathlib
import tempfile
import unittest

import check_layers

TABLE = """
# bitlaw_component(commented DEPENDS nowhere)
bitlaw_component(base LIBRARIES fmt::fmt)
bitlaw_component(engine/tensor DEPENDS base)
bitlaw_component(engine/ops DEPENDS tensor
                 LIBRARIES dnnl TEST_LABELS threads THREAD_TESTS *Threads*)
bitlaw_component(engine/model DEPENDS ops TEST_DEPENDS tensor)
bitlaw_component(science/laws DEPENDS base)
bitlaw_component(study/runs DEPENDS base TEST_DEPENDS laws)
"""

PICTURE = """
```
  apps/cli   everything
  -----
  STUDY      runs
  -----
  ENGINE     model   | SCIENCE
             ops     | laws
             tensor  |
  -----
  GROUND     base
```
"""

# One use of every dependency, so that a tree under test breaks the rules it means to break and no other.
USES = {
    "base/error.h": "",
    "engine/tensor/uses.h": '#include "base/error.h"\n',
    "engine/ops/uses.h": '#include "tensor/uses.h"\n',
    "engine/model/uses.h": '#include "ops/uses.h"\n',
    "engine/model/uses_test.cpp": '#include "tensor/uses.h"\n',
    "science/laws/uses.h": '#include "base/error.h"\n',
    "study/runs/uses.h": '#include "base/error.h"\n',
    "study/runs/uses_test.cpp": '#include "laws/uses.h"\n',
}


class CheckLayers(unittest.TestCase):
    def violations(self, files, table=TABLE, picture=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            if picture:
                (root / "ARCHITECTURE.md").write_text(picture)
            uses = USES if table == TABLE else {}
            for name, text in {"CMakeLists.txt": table, **uses, **files}.items():
                path = root / "src" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_layers.violations(root)

    def assert_one(self, files, *fragments, table=TABLE):
        found = self.violations(files, table)
        self.assertEqual(len(found), 1, found)
        for fragment in fragments:
            self.assertIn(fragment, found[0])

    def test_the_table_is_read(self):
        table = check_layers.component_table(TABLE)
        self.assertEqual({name: (c.path, c.depends, c.test_depends) for name, c in table.items()}, {
            "base": ("base", [], []),
            "tensor": ("engine/tensor", ["base"], []),
            "ops": ("engine/ops", ["tensor"], []),
            "model": ("engine/model", ["ops"], ["tensor"]),
            "laws": ("science/laws", ["base"], []),
            "runs": ("study/runs", ["base"], ["laws"]),
        })

    def test_a_good_tree_has_no_violations(self):
        self.assertEqual(self.violations({
            "base/error.h": "#pragma once\n#include <string>\n",
            "base/parallel.h": "#include <thread>\n",
            "engine/tensor/tensor.h": '#include "base/error.h"\n',
            "engine/ops/norm.h": '#include "tensor/tensor.h"\n',
            "engine/ops/ref/norm_ref.cpp": '#include "ops/norm.h"\n#include "ops/ref/loops.h"\n',
            "engine/model/model.cpp": '#include "ops/norm.h"\n  #  include "base/error.h"\n#include <dnnl.hpp>\n',
            "science/laws/kumar.h": '#include <cmath>\n#include "base/error.h"\n',
            "science/laws/kumar_test.cpp": '#include <fstream>\n#include "base/parallel.h"\n',
        }), [])

    def test_an_arrow_against_the_table(self):
        self.assert_one({"engine/ops/norm.h": '#include "base/error.h"\n#include "model/model.h"\n'}, "src/engine/ops/norm.h:2",
                        "ops may not include model")

    def test_a_neighbour_that_is_not_a_dependency(self):
        self.assert_one({"science/laws/kumar_test.cpp": '#include "model/model.h"\n'}, "laws may not include model")

    def test_backends_are_strangers(self):
        for mine in ("ref", "cpu", "cuda"):
            for other in ("ref", "cpu", "cuda"):
                files = {"engine/ops/%s/norm.cpp" % mine: '#include "ops/%s/norm.h"\n' % other}
                self.assertEqual(len(self.violations(files)), 0 if mine == other else 1)

    def test_nobody_includes_apps(self):
        self.assert_one({"engine/model/model.cpp": '#include "apps/cli/verbs.h"\n'}, "nothing in src/ includes apps")
        self.assert_one({"engine/model/model.cpp": '#include "../../apps/cli/verbs.h"\n'}, "nothing in src/ includes apps")

    def test_notes_do_not_throw(self):
        for call in ('fmt::print(stderr, "x");', 'fmt::print(\n    stderr, "x");'):
            self.assert_one({"engine/model/model.cpp": "void f() {\n  %s\n}\n" % call}, "model.cpp:2: ", "say()")
        self.assertEqual(self.violations({"engine/model/model_test.cpp": 'fmt::print(stderr, "x");\n'}), [])

    def test_paths_begin_with_a_component(self):
        self.assert_one({"engine/model/model.cpp": '#include "model.h"\n'}, "does not begin with a component")
        self.assert_one({"base/error.h": "", "engine/model/model.cpp": "#include <base/error.h>\n"}, "one of ours")
        self.assert_one({"engine/model/model.cpp": '#include "engine/ops/uses.h"\n'}, "does not begin with a component")

    def test_folders_are_in_the_table(self):
        self.assert_one({"extra/new.h": ""}, "src/extra/new.h", "component table")

    def test_laws_know_no_threads_or_files(self):
        for header in ("thread", "filesystem", "fstream", "sqlite3.h", "SQLiteCpp/SQLiteCpp.h", "cuda_runtime.h"):
            self.assert_one({"science/laws/kumar.h": "#include <%s>\n" % header}, "laws knows no threads", "<%s>" % header)

    def test_nor_do_the_headers_they_reach(self):
        self.assert_one({
            "science/laws/kumar.h": '#include "base/config.h"\n',
            "base/config.h": "#include <filesystem>\n"
        }, "laws/kumar.h includes base/config.h includes <filesystem>")

    def test_nobody_knows_one_law(self):
        law = {"science/laws/forms/line.h": 'static constexpr const char* kName = "line";\n'}
        uses = '#include "laws/uses.h"\n'
        table = TABLE + "bitlaw_component(science/plan DEPENDS laws)\n"
        good = {**USES, **law, "science/plan/plan.cpp": uses + 'fit("a line"); // "line"\n'}
        self.assertEqual(self.violations(good, table), [])
        include = '#include "laws/forms/line.h"\n'
        self.assert_one({**good, "science/plan/a.cpp": uses + include}, "a.cpp:2", "may not include one law", table=table)
        self.assert_one({**good, "science/plan/a.h": 'if (law == "line") {}\n'}, "names the law line", table=table)
        test = {**good, "science/plan/a_test.cpp": include + 'find_law("line");\n'}
        self.assertEqual(self.violations(test, table), [])

    def test_the_table_has_no_circles_or_strangers(self):
        self.assert_one({}, "not a component", table="bitlaw_component(base DEPENDS nowhere)\n")
        circle = "bitlaw_component(a DEPENDS b)\nbitlaw_component(b DEPENDS a)\n"
        uses = {"a/a.h": '#include "b/b.h"\n', "b/b.h": '#include "a/a.h"\n'}
        self.assertEqual(len(self.violations(uses, circle)), 2)

    def test_towers_do_not_depend_on_each_other(self):
        for lower, upper in (("engine", "science"), ("science", "engine"), ("engine", "study"), (None, "engine")):
            table = "bitlaw_component(%sa)\nbitlaw_component(%s/b)\n" % (lower + "/" if lower else "", upper)
            table = table.replace("a)", "a DEPENDS b)")
            files = {(lower + "/" if lower else "") + "a/a.h": '#include "b/b.h"\n', upper + "/b/b.h": ""}
            self.assert_one(files, "a (%s) may not depend on b (%s)" % (lower or "ground", upper), table=table)

    def test_a_dependency_that_nothing_includes(self):
        table = TABLE.replace("science/laws DEPENDS base", "science/laws DEPENDS base fmts") + "bitlaw_component(fmts)\n"
        files = {**USES, "fmts/format.h": ""}
        self.assert_one(files, "laws depends on fmts, but includes nothing of it", table=table)
        files["science/laws/format_test.cpp"] = '#include "fmts/format.h"\n'
        self.assert_one(files, "make it a TEST_DEPENDS", table=table)

    def test_what_only_tests_may_include(self):
        self.assert_one({"study/runs/index.h": '#include "laws/uses.h"\n'}, "runs may not include laws")
        self.assertEqual(self.violations({"study/runs/rows_for_tests.h": '#include "laws/uses.h"\n'}), [])
        self.assert_one({"study/runs/uses_test.cpp": ""}, "the tests of runs depend on laws, but include nothing of it")

    def test_the_picture(self):
        self.assertEqual(self.violations({}, picture=PICTURE), [])
        for old, new, sentence in (
                ("STUDY      runs", "STUDY      runs laws", "shows laws in study; it is in science"),
                ("model   |", "        |", "does not show model"),
                ("tensor  |", "tensor hf |", "shows hf, which is not a component"),
                ("base\n", "base base\n", "shows base twice")):
            found = self.violations({}, picture=PICTURE.replace(old, new))
            self.assertTrue(any(sentence in line for line in found), (sentence, found))
        upside_down = PICTURE.replace("model   |", "x").replace("ops     |", "model |").replace("x", "ops     |")
        self.assert_one_of_picture(upside_down, "does not show model above ops, on which it depends")

    def assert_one_of_picture(self, picture, sentence):
        found = self.violations({}, picture=picture)
        self.assertEqual(len(found), 1, found)
        self.assertIn(sentence, found[0])


if __name__ == "__main__":
    unittest.main()

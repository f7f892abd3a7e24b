#!/usr/bin/env python3
"""check_layers.py on small made-up trees: each rule broken once, and a tree that breaks none."""
import pathlib
import tempfile
import unittest

import check_layers

TABLE = """
# bitlaw_component(commented DEPENDS nowhere)
bitlaw_component(base LIBRARIES fmt::fmt)
bitlaw_component(tensor DEPENDS base)
bitlaw_component(ops DEPENDS tensor
                 LIBRARIES dnnl TEST_LABELS threads)
bitlaw_component(model DEPENDS ops)
bitlaw_component(laws DEPENDS base)
"""


class CheckLayers(unittest.TestCase):
    def violations(self, files, table=TABLE):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"CMakeLists.txt": table, **files}.items():
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
        self.assertEqual(check_layers.component_table(TABLE),
                         {"base": [], "tensor": ["base"], "ops": ["tensor"], "model": ["ops"], "laws": ["base"]})

    def test_a_good_tree_has_no_violations(self):
        self.assertEqual(self.violations({
            "base/error.h": "#pragma once\n#include <string>\n",
            "base/parallel.h": "#include <thread>\n",
            "tensor/tensor.h": '#include "base/error.h"\n',
            "ops/norm.h": '#include "tensor/tensor.h"\n',
            "ops/ref/norm_ref.cpp": '#include "ops/norm.h"\n#include "ops/ref/loops.h"\n',
            "model/model.cpp": '#include "ops/norm.h"\n  #  include "base/error.h"\n#include <dnnl.hpp>\n',
            "laws/kumar.h": '#include <cmath>\n#include "base/error.h"\n',
            "laws/kumar_test.cpp": '#include <fstream>\n#include "base/parallel.h"\n',
        }), [])

    def test_an_arrow_against_the_table(self):
        self.assert_one({"ops/norm.h": '#include "base/error.h"\n#include "model/model.h"\n'}, "src/ops/norm.h:2",
                        "ops may not include model")

    def test_a_neighbour_that_is_not_a_dependency(self):
        self.assert_one({"laws/kumar_test.cpp": '#include "model/model.h"\n'}, "laws may not include model")

    def test_backends_are_strangers(self):
        for mine in ("ref", "cpu", "cuda"):
            for other in ("ref", "cpu", "cuda"):
                files = {"ops/%s/norm.cpp" % mine: '#include "ops/%s/norm.h"\n' % other}
                self.assertEqual(len(self.violations(files)), 0 if mine == other else 1)

    def test_nobody_includes_apps(self):
        self.assert_one({"model/model.cpp": '#include "apps/cli/verbs.h"\n'}, "nothing in src/ includes apps")
        self.assert_one({"model/model.cpp": '#include "../../apps/cli/verbs.h"\n'}, "nothing in src/ includes apps")

    def test_paths_start_at_src(self):
        self.assert_one({"model/model.cpp": '#include "model.h"\n'}, "paths start at src/")
        self.assert_one({"base/error.h": "", "model/model.cpp": "#include <base/error.h>\n"}, "one of ours")

    def test_folders_are_in_the_table(self):
        self.assert_one({"extra/new.h": ""}, "src/extra/new.h", "component table")

    def test_laws_know_no_threads_or_files(self):
        for header in ("thread", "filesystem", "fstream", "sqlite3.h", "SQLiteCpp/SQLiteCpp.h", "cuda_runtime.h"):
            self.assert_one({"laws/kumar.h": "#include <%s>\n" % header}, "laws knows no threads", "<%s>" % header)

    def test_nor_do_the_headers_they_reach(self):
        self.assert_one({
            "laws/kumar.h": '#include "base/config.h"\n',
            "base/config.h": "#include <filesystem>\n"
        }, "laws/kumar.h includes base/config.h includes <filesystem>")

    def test_the_table_has_no_circles_or_strangers(self):
        self.assert_one({}, "not a component", table="bitlaw_component(base DEPENDS nowhere)\n")
        circle = "bitlaw_component(a DEPENDS b)\nbitlaw_component(b DEPENDS a)\n"
        self.assertEqual(len(self.violations({}, circle)), 2)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Tests tools/fetch_corpus against an apt-get of its own that hands out small packages made here."""

import os
import pathlib
import stat
import subprocess
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent / "fetch_corpus"

PROSE = "This is the {n} of the paragraphs that are written here only so that there is some prose for the test to find"
OTHER = "And there is one more of them in every one of the packages, which has to be kept in only the first of them"
HTML = f"""<html><head><title>{PROSE.format(n="title")}</title></head><body><nav><p>{PROSE.format(n="menu")}</p></nav>
<h1>Short</h1><p>{PROSE.format(n="first")} &amp; <code>it</code>.<p>too short</p>
<pre>{PROSE.format(n="code")}</pre><div>{OTHER}</div><p>{"x1=2; " * 30}</p><p>{"Nostop wordless gibberish sentences " * 4}</p>
<script>{PROSE.format(n="script")}</script></body></html>"""
POD = f"""not pod: {PROSE.format(n="program")}

=head1 NAME

{PROSE.format(n="second")} in B<bold C<code>> and L<a page|perldoc/page>, with E<lt>signsE<gt>.

    {PROSE.format(n="listing")}

=begin html

{PROSE.format(n="block")}

=end html

{OTHER.upper()}!

=cut

{PROSE.format(n="rest")}
"""

# Hands out $PACKAGES/NAME.deb, and writes down each download; fails like the real one otherwise.
FAKE_APT_GET = """#!/bin/sh
for name; do :; done
case " $* " in *" update "*) exit 100;; esac
if [ -e "$PACKAGES/$name.deb" ]; then
  echo "$name" >> "$PACKAGES/log"; cp "$PACKAGES/$name.deb" "./${name}_1.0_all.deb"; exit 0
fi
echo "E: Unable to locate package $name" >&2; exit 100
"""


ALL = ["git-doc", "perl-doc", "postgresql-doc-17", "python3.11-doc"]


class FetchCorpus(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.packages, self.corpus = self.folder / "packages", self.folder / "corpus"
        (self.folder / "bin").mkdir()
        self.packages.mkdir()
        fake = self.folder / "bin" / "apt-get"
        fake.write_text(FAKE_APT_GET)
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)

    def package(self, name, documents):
        root = self.folder / "roots" / name
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDescription: test\n")
        for path, content in documents.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(root), str(self.packages / f"{name}.deb")],
                       check=True, capture_output=True)

    def all_packages(self):
        self.package("perl-doc", {"usr/share/perl/page.pod": POD})
        self.package("python3.11-doc", {"usr/share/doc/page.html": HTML, "usr/share/doc/empty.html": "<p>nothing</p>"})
        self.package("git-doc", {"usr/share/doc/copy.html": HTML})
        self.package("postgresql-doc-17", {"usr/share/doc/page.html": f"<p>{PROSE.format(n='third')}</p>"})

    def run_tool(self, *options):
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "PACKAGES": str(self.packages)}
        return subprocess.run([str(TOOL), str(self.corpus), *options], env=environment, capture_output=True, text=True)

    def texts(self):
        return {str(p.relative_to(self.corpus)): p.read_text() for p in sorted(self.corpus.rglob("*.txt"))}

    def downloads(self):
        log = self.packages / "log"
        return log.read_text().split() if log.exists() else []

    def test_keeps_prose_once(self):
        self.all_packages()
        result = self.run_tool()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.texts(), {
            "perl-doc/00000_usr_share_perl_page.txt":
                PROSE.format(n="second") + " in bold code and a page, with <signs>.\n\n" + OTHER.upper() + "!\n",
            "python3.11-doc/00000_usr_share_doc_page.txt": PROSE.format(n="first") + " & it.\n",
            "postgresql-doc-15/00000_usr_share_doc_page.txt": PROSE.format(n="third") + "\n",
        })
        self.assertFalse((self.corpus / ".work").exists())

    def test_does_nothing_twice(self):
        self.all_packages()
        self.run_tool()
        before = self.downloads()
        self.assertEqual(sorted(before), ALL)
        self.assertEqual(self.run_tool().returncode, 0)
        self.assertEqual(self.downloads(), before)

    def test_downloads_ahead_of_the_reading(self):
        self.all_packages()
        self.assertEqual(self.run_tool("--download-only").returncode, 0)
        self.assertEqual((sorted(self.downloads()), self.texts()), (ALL, {}))
        self.assertEqual(self.run_tool().returncode, 0)
        ahead = self.texts()
        self.assertEqual(sorted(self.downloads()), ALL)
        subprocess.run(["rm", "-r", str(self.corpus)], check=True)
        self.run_tool()
        self.assertEqual(ahead, self.texts())

    def test_a_damaged_package_is_one_sentence(self):
        self.all_packages()
        whole = (self.packages / "git-doc.deb").read_bytes()
        (self.packages / "git-doc.deb").write_bytes(whole[:len(whole) // 2])
        result = self.run_tool()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("git-doc_1.0_all.deb cannot be unpacked", result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        (self.packages / "git-doc.deb").write_bytes(whole)
        self.assertEqual(self.run_tool().returncode, 0)

    def test_goes_on_after_a_failure_with_the_same_result(self):
        self.all_packages()
        self.run_tool()
        whole = self.texts()
        subprocess.run(["rm", "-r", str(self.corpus)], check=True)
        (self.packages / "git-doc.deb").rename(self.packages / "away")
        result = self.run_tool()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("apt cannot fetch the documentation packages", result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        (self.packages / "away").rename(self.packages / "git-doc.deb")
        self.assertEqual(self.run_tool().returncode, 0)
        self.assertEqual(self.texts(), whole)
        self.assertEqual(self.downloads().count("git-doc"), 2)

    def test_a_place_that_cannot_be_written_is_one_sentence(self):
        self.all_packages()
        self.corpus.write_text("a file")
        result = self.run_tool()
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertEqual(self.corpus.read_text(), "a file")


if __name__ == "__main__":
    unittest.main()

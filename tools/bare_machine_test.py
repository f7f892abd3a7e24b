#!/usr/bin/env python3
"""What tools/bare_machine refuses: one sentence, no success, nothing left behind."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parent / "bare_machine"
PROGRAMS = "awk basename bash cat cp cut date dirname find git grep hostname id install mkdir mktemp mv realpath rm sed sha256sum tail tar".split()


class BareMachine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        self.checkout, self.programs = self.folder / "checkout", self.folder / "programs"
        self.temporary = self.folder / "temporary"
        for place in (self.checkout / "tools", self.checkout / ".git", self.programs, self.temporary):
            place.mkdir(parents=True)
        shutil.copy(TOOL, self.checkout / "tools")
        for name in PROGRAMS:
            if path := shutil.which(name):
                (self.programs / name).symlink_to(path)

    def program(self, name, script):
        """A program of this name that the tool finds instead of the machine's."""
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)

    def root(self):
        self.program("id", 'case "$1" in -u) echo 0;; *) echo root;; esac')

    def allow_everything(self):
        self.root()
        self.program("unshare", "exit 0")
        self.program("mmdebstrap", "exit 0")
        self.program("apt-config", "exit 0")

    def refused(self, *arguments, status=1):
        environment = {"PATH": str(self.programs), "TMPDIR": str(self.temporary)}
        result = subprocess.run([str(self.checkout / "tools" / "bare_machine"), *arguments], env=environment,
                                stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr.splitlines()[-1], "^bare_machine: ")
        self.assertEqual(list(self.temporary.iterdir()), [])
        return result.stderr

    def test_an_unknown_option(self):
        self.assertIn("unknown option '--fast'; see tools/bare_machine --help", self.refused("--fast", "true", status=2))

    def test_a_cache_without_a_directory(self):
        self.assertIn("--ccache needs a directory", self.refused("--ccache", status=2))

    def test_no_command(self):
        self.assertIn("no command", self.refused(status=2))
        self.assertIn("no command", self.refused("--user", status=2))

    def test_neither_root_nor_sudo(self):
        self.program("id", 'case "$1" in -u) echo 1000;; *) echo ada;; esac')
        message = self.refused("true")
        self.assertIn("ada has no passwordless sudo; run it as root", message)
        self.program("sudo", "echo 'sudo: a password is required' >&2; exit 1")
        self.assertEqual(self.refused("true"), message)

    @unittest.skipIf(os.getuid() != 0, "only root can become nobody")
    def test_nobody(self):
        result = subprocess.run([str(self.checkout / "tools" / "bare_machine"), "true"], user="nobody", group="nogroup",
                                extra_groups=[], capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("nobody has no passwordless sudo; run it as root", result.stderr)

    def test_no_checkout(self):
        self.allow_everything()
        (self.checkout / ".git").rmdir()
        self.assertIn("is not a git checkout", self.refused("true"))

    def test_no_mmdebstrap(self):
        self.root()
        self.assertIn("mmdebstrap is missing; run: tools/install_packages ci", self.refused("true"))

    def test_no_right_to_mount(self):
        self.allow_everything()
        self.program("unshare", "echo 'unshare: Operation not permitted' >&2; exit 1")
        self.assertIn("does not allow mounts", self.refused("true"))

    def test_no_network(self):
        self.allow_everything()
        self.program("awk", "echo Suites: bookworm")  # sources for Debian 12, whatever this machine is
        self.program("mmdebstrap", "echo 'E: Could not resolve deb.debian.org' >&2; exit 25")
        message = self.refused("true")
        self.assertIn("E: Could not resolve deb.debian.org", message)
        self.assertIn("mmdebstrap could not make a Debian 12; check the network", message)
        self.assertEqual(list((self.checkout / ".cache" / "bare").iterdir()), [])

    def test_no_sources_for_debian_12(self):
        self.allow_everything()
        for program in ("awk", "sed"):
            self.program(program, "exit 0")
        self.assertIn("no source for Debian 12", self.refused("true"))


if __name__ == "__main__":
    unittest.main()

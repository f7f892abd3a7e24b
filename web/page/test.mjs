// Bundles each test for node and runs it.
import {build} from 'esbuild';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const out = mkdtempSync(join(tmpdir(), 'bitlaw-page-'));
try {
  const tests = readdirSync('tests').filter(name => name.endsWith('.test.ts'));
  await build({entryPoints: tests.map(name => `tests/${name}`), bundle: true, platform: 'node', format: 'esm',
               outdir: out, loader: {'.css': 'text'}, outExtension: {'.js': '.mjs'}, logLevel: 'warning'});
  execFileSync('node', ['--test', ...tests.map(name => join(out, name.replace(/ts$/, 'mjs')))], {stdio: 'inherit'});
} finally {
  rmSync(out, {recursive: true, force: true});
}

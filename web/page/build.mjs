// Builds the planner: one file that opens from a disk or any static host.
//
//   node build.mjs [MODULE.wasm] [OUT.html]
import {build} from 'esbuild';
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {gzipSync} from 'node:zlib';

const [module = '../../build/module/bitlaw.wasm', out = '../../build/page/planner.html'] = process.argv.slice(2);

async function bundle(entry, format) {
  const made = await build({entryPoints: [entry], bundle: true, minify: true, format, target: 'es2022', write: false,
                            logLevel: 'warning', legalComments: 'none'});
  return made.outputFiles[0].text;
}

const packed = bytes => gzipSync(bytes, {level: 9}).toString('base64');
const version = /project\(bitlaw VERSION ([0-9.]+)/.exec(readFileSync('../../CMakeLists.txt', 'utf8'))[1];
const script = (await bundle('src/main.ts', 'iife')).replaceAll('</script', '<\\/script');
const parts = {
  STYLE: readFileSync('src/style.css', 'utf8'),
  VERSION: version,
  ENGINE: packed(readFileSync(module)),
  WORKER: packed(Buffer.from(await bundle('src/worker.ts', 'iife'))),
  SCRIPT: script,
  SCRIPT_HASH: `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
};
const page = readFileSync('planner.html', 'utf8').replace(/\{\{([A-Z_]+)\}\}/g, (_, name) => parts[name]);
mkdirSync(dirname(out), {recursive: true});
writeFileSync(out, page);
console.log(`planner: ${page.length} bytes, ${gzipSync(page, {level: 9}).length} with gzip; engine ${parts.ENGINE.length}, script ${script.length}`);

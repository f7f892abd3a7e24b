// Builds the pages: each is one file that opens from a disk or any static host.
//
//   node build.mjs [MODULE.wasm] [OUT]
import {build} from 'esbuild';
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {compress} from 'lzma1';

const [module = '../../build/module/bitlaw.wasm', out = '../../build/page'] = process.argv.slice(2);

// Parts of a package that it has no names for.
const kInside = Object.fromEntries(
    ['decoder', 'streams'].map(name => [`lzma1/${name}`, `./node_modules/lzma1/lib/${name}.js`]));

async function bundle(entry, format) {
  const made = await build({entryPoints: [entry], bundle: true, minify: true, format, target: 'es2022', write: false,
                            logLevel: 'warning', legalComments: 'none', loader: {'.css': 'text'}, alias: kInside});
  return made.outputFiles[0].text;
}

const version = /project\(bitlaw VERSION ([0-9.]+)/.exec(readFileSync('../../CMakeLists.txt', 'utf8'))[1];

// What a page may name in {{...}}, made when it is named.
const parts = {
  STYLE: () => readFileSync('src/style.css', 'utf8'),
  VERSION: () => version,
  ENGINE: () => Buffer.from(compress(readFileSync(module), 9)).toString('base64'),
  WORKER: async () => Buffer.from(await bundle('src/worker.ts', 'iife')).toString('base64'),
};

async function filled(name) {
  const page = readFileSync(`pages/${name}.html`, 'utf8');
  const script = (await bundle(`src/${name}/main.ts`, 'iife')).replaceAll('</script', '<\\/script');
  const values = {SCRIPT: script, SCRIPT_HASH: `'sha256-${createHash('sha256').update(script).digest('base64')}'`};
  for (const [, part] of page.matchAll(/\{\{([A-Z_]+)\}\}/g)) values[part] ??= await parts[part]();
  return page.replace(/\{\{([A-Z_]+)\}\}/g, (_, part) => values[part]);
}

mkdirSync(out, {recursive: true});
for (const file of readdirSync('pages').sort()) {
  const page = await filled(file.replace('.html', ''));
  writeFileSync(join(out, file), page);
  console.log(`${file}: ${page.length} bytes, ${gzipSync(page, {level: 9}).length} with gzip`);
}

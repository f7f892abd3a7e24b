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
const packages = new Set();  // of npm, that a page contains

// Parts of a package that it has no names for, and one that no figure needs.
const kInside = {
  ...Object.fromEntries(['decoder', 'streams'].map(name => [`lzma1/${name}`, `./node_modules/lzma1/lib/${name}.js`])),
  'd3-geo': './src/draw/no_maps.ts',
};

async function bundle(entry, format) {
  const made = await build({entryPoints: [entry], bundle: true, minify: true, format, target: 'es2022', write: false,
                            logLevel: 'warning', legalComments: 'none', loader: {'.css': 'text'}, alias: kInside,
                            metafile: true});
  for (const input of Object.keys(Object.values(made.metafile.outputs)[0].inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) packages.add(found[1]);
  }
  return made.outputFiles[0].text;
}

const hash = (bytes, form) => createHash('sha256').update(bytes).digest(form);
const version = /project\(bitlaw VERSION ([0-9.]+)/.exec(readFileSync('../../CMakeLists.txt', 'utf8'))[1];
const icon = readFileSync('static/icon.svg', 'utf8').trim();

// What a page may name in {{...}}, made when it is named.
const parts = {
  STYLE: () => readFileSync('src/style.css', 'utf8'),
  VERSION: () => version,
  ICON: () => `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">`,
  ENGINE: () => Buffer.from(compress(readFileSync(module), 9)).toString('base64'),
  WORKER: async () => Buffer.from(await bundle('src/worker.ts', 'iife')).toString('base64'),
};

const fill = (text, values) => text.replace(/\{\{([A-Z_]+)\}\}/g, (_, part) => values[part]);

async function filled(name) {
  const page = readFileSync(`pages/${name}.html`, 'utf8');
  const script = (await bundle(`src/${name}/main.ts`, 'iife')).replaceAll('</script', '<\\/script');
  const values = {SCRIPT: script, SCRIPT_HASH: `'sha256-${hash(script, 'base64')}'`};
  for (const [, part] of page.matchAll(/\{\{([A-Z_]+)\}\}/g)) values[part] ??= await parts[part]();
  return fill(page, values);
}

/** The licences of what the pages contain: packages of npm, and the Debian packages that the module is made of. */
function licences() {
  const npm = [...packages].sort().map(name => {
    const folder = `node_modules/${name}`;
    const {version, license} = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find(each => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${folder} has no file with its licence`);
    return [`${name} ${version} (${license}, from npm)`, readFileSync(`${folder}/${file}`, 'utf8')];
  });
  const debian = ['libeigen3-dev', 'libfmt-dev', 'nlohmann-json3-dev', 'libxxhash-dev', 'libc++-22-dev-wasm32', 'wasi-libc']
      .map(name => [`${name} (from Debian), in the module`, readFileSync(`/usr/share/doc/${name}/copyright`, 'utf8')]);
  const line = '='.repeat(100);
  return 'The pages contain bitlaw (Apache-2.0) and, in part or as a whole, the following.\n' +
         [...npm, ...debian].map(([title, text]) => `\n${line}\n${title}\n${line}\n\n${text.trim()}\n`).join('');
}

function write(file, text) {
  writeFileSync(join(out, file), text);
  console.log(`${file}: ${text.length} bytes, ${gzipSync(text, {level: 9}).length} with gzip`);
}

mkdirSync(out, {recursive: true});
const built = {};
for (const file of readdirSync('pages').sort()) {
  built[file] = await filled(file.replace('.html', ''));
  write(file, built[file]);
}
for (const file of readdirSync('static').sort())
  write(file, fill(readFileSync(`static/${file}`, 'utf8'), {BUILD: hash(built['planner.html'], 'hex').slice(0, 16)}));
write('LICENSES.txt', licences());

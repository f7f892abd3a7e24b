// The module of the browser answers as the command line does: the same document, names, sentences and
// numbers, for every law.
//
//   BITLAW_TEST_OF='bitlaw.wasm build/release/bitlaw' node --test tests/module/module_test.mjs
//
// Numbers agree to 1e-13 of their size: exp and log of two C libraries may differ in the last bit. Where
// that moves the place at which a search stops, the test says so and allows 1e-8.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';

const [wasm, program] = process.env.BITLAW_TEST_OF.split(' ');
const module = await WebAssembly.compile(readFileSync(wasm));

function load() {
  const imports = {};
  for (const {module: from, name} of WebAssembly.Module.imports(module)) {
    // Nothing is written or closed in an answer.
    (imports[from] ??= {})[name] = () => { throw new Error(`${name} was called`); };
  }
  const instance = new WebAssembly.Instance(module, imports);
  instance.exports._initialize();
  return instance.exports;
}

const exports = load();

function askText(text) {
  const bytes = new TextEncoder().encode(text);
  const at = exports.bitlaw_memory(bytes.length);
  new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
  const size = exports.bitlaw_ask(at, bytes.length);
  return JSON.parse(new TextDecoder().decode(
      new Uint8Array(exports.memory.buffer, exports.bitlaw_answer(), size)));
}

const ask = question => askText(JSON.stringify(question));

// Options are --tokens there and tokens here, and the module names the verb.
const plain = sentence => sentence.replace(/^plan: /, '').replaceAll('--', '');

// What the program prints, also with a status that says that some of it is no number; where it prints
// nothing, {error: its sentence}.
function run(...words) {
  try {
    return JSON.parse(execFileSync(program, words, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}));
  } catch (error) {
    if (error.stdout) return JSON.parse(error.stdout);
    return {error: /^bitlaw: (.*)$/m.exec(error.stderr)[1]};
  }
}

const kRounding = 1e-13, kSearch = 1e-8;

function same(a, b, tolerance = kRounding, where = '') {
  if (typeof a === 'number' && typeof b === 'number') {
    // A sensitivity is a difference of two searched answers of size 1: its error is that of these.
    const least = where.startsWith('.sensitivity') ? 1 : 0;
    const size = Math.max(Math.abs(a), Math.abs(b), least);
    assert.ok(Math.abs(a - b) <= tolerance * size, `${where}: ${a} and ${b}`);
  } else if (a !== null && b !== null && typeof a === 'object' && typeof b === 'object') {
    assert.deepEqual(Object.keys(a), Object.keys(b), where);
    for (const key of Object.keys(a)) same(a[key], b[key], tolerance, `${where}.${key}`);
  } else if (where.endsWith('.error')) {
    assert.equal(plain(a), plain(b));
  } else {
    assert.equal(a, b, where);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bitlaw-module-'));
process.on('exit', () => rmSync(folder, {recursive: true, force: true}));

// A study of every kind of row, drawn by the program itself.
function study(law) {
  const path = join(folder, 'table.csv');
  execFileSync(program, ['simulate', '--law', law, '--out', path, '--seed', '1'], {stdio: 'ignore'});
  return {path, text: readFileSync(path, 'utf8')};
}

const laws = ask({verb: 'laws'}).laws ?? ask({verb: 'laws'});
const names = laws.map(law => law.name);

test('laws are those of the program', () => same(run('laws', '--json'), ask({verb: 'laws'})));

for (const name of names) {
  test(`a plan by ${name}`, () => {
    same(run('plan', '--law', name, '--compute', '1e21', '--json'),
         ask({verb: 'plan', options: {law: name, compute: 1e21}}), kSearch);
  });
  test(`a prediction by ${name}`, () => {
    same(run('predict', '--law', name, 'N=1e9', 'D=2e10', 'P_w=4', '--json'),
         ask({verb: 'predict', laws: [name], runs: [{N: 1e9, D: 2e10, P_w: 4}]}));
  });
}

test('a frontier of bytes', () => {
  const options = {frontier: 'bytes=4e6..1e12', tokens: 1e11};
  same(run('plan', '--frontier', options.frontier, '--tokens', '1e11', '--json'),
       ask({verb: 'plan', options}));
});

test('a landscape is made of plans', () => {
  const axes = [{name: 'N', values: [1e9, 4e9]}, {name: 'P', values: [4, 8]}];
  const {loss, D} = ask({verb: 'landscape', options: {compute: 1e21}, axes});
  [[1e9, 4], [4e9, 4], [1e9, 8], [4e9, 8]].forEach(([params, bits], i) => {
    const {optimum} = run('plan', '--compute', '1e21', '--params', `${params}`, '--bits', `${bits}`, '--json');
    same([optimum.loss, optimum.D], [loss[i], D[i]]);
  });
});

test('several laws beside each other', () => {
  same(run('plan', '--laws', 'all', '--compute', '1e21', '--json'),
       ask({verb: 'plan', options: {laws: ['all'], compute: 1e21}}));
});

test('a fit of a table, with its intervals', () => {
  const {path, text} = study('kumar');
  const printed = run('fit', path, '--law', 'chinchilla', '--draws', '50', '--json');
  const answer = ask({verb: 'fit', table: {text, name: path}, options: {law: 'chinchilla', draws: 50}});
  same(printed, answer, kSearch);
});

test('a comparison of laws', () => {
  const {path, text} = study('kumar');
  same(run('compare', path, '--laws', 'chinchilla,kumar', '--json'),
       ask({verb: 'compare', table: {text, name: path}, options: {laws: ['chinchilla,kumar']}}), kSearch);
});

test('a design, and what a table is taken for', () => {
  const {path, text} = study('kumar');
  same(run('design', path, '--law', 'kumar', '--json'),
       ask({verb: 'design', table: {text, name: path}, options: {law: 'kumar'}}), kSearch);
  const table = ask({verb: 'table', table: {text, name: path}});
  assert.equal(table.law, 'kumar');
  assert.ok(table.columns.includes('loss'));
  const {law, columns, ...rest} = table;
  same(run('fit', path, '--dry-run', '--json'), rest);
});

test('answers do not depend on those before', () => {
  const question = {verb: 'plan', options: {compute: 3e20, memory_bytes: 4e9}};
  const first = ask(question);
  for (const name of names) ask({verb: 'plan', options: {law: name, compute: 1e19}});
  assert.deepEqual(ask(question), first);
});

test('a wrong question is one sentence, and the module goes on', () => {
  for (const text of ['', '{', '[]', '{"verb": "plann"}', '{"verb": "plan", "options": {"compute": "x"}}',
                      '{"verb": "fit", "table": {"text": ""}}',
                      '{"verb": "fit", "table": {"text": "N,D,loss\\n1,2,<script>"}}',
                      '{"verb": "plan", "option": {}}', '['.repeat(100000)]) {
    const answer = askText(text);
    assert.deepEqual(Object.keys(answer), ['error'], text.slice(0, 80));
  }
  assert.ok(ask({verb: 'plan', options: {compute: 1e21}}).optimum);
});

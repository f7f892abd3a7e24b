// The live view in a real browser: the program serves a folder of runs, which grows meanwhile.
//
//   BITLAW_TEST_OF='build/page build/release/bitlaw' node --test web/page/browser/live_test.mjs
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {accessible, fitsItsWidth, folder, newPage, program, seen} from './harness.mjs';

const kHostile = '<img src=x onerror=alert(1)>';
const runs = join(folder, 'runs');
const ready = join(folder, 'ready'); // runs that are not in the folder yet
let server, address;

/** Starts the program; the port stays the same when it is started again. */
async function serve(...words) {
  server = spawn(program, ['serve', runs, '--json', ...words], {stdio: ['ignore', 'pipe', 'inherit']});
  let text = '';
  for await (const bytes of server.stdout) {
    text += bytes;
    if (text.trimEnd().endsWith('}')) break;
  }
  const {address: given, token} = JSON.parse(text);
  address = given;
  return token;
}

function stop() {
  const ended = new Promise(resolve => server.once('exit', resolve));
  server.kill('SIGINT');
  return ended;
}

before(async () => {
  const made = (...words) => execFileSync(program, words, {cwd: folder, stdio: ['ignore', 'ignore', 'inherit']});
  made('data', 'synthetic', '--to', 'data', '--levels', '4', '--tokens', '200000', '--validation-tokens', '8000', '--quiet');
  writeFileSync(join(folder, 'study.toml'), `
name = "live"
[base]
data.path = "data"
model.sequence = 32
model.layers = 1
train.batch_tokens = 512
[variants.size]
a = { "model.width" = 16, "model.heads" = 1 }
b = { "model.width" = 32, "model.heads" = 1 }
[[grid]]
size = ["a", "b"]
"train.tokens" = [20_000, 40_000, 80_000]
"recipe.weights" = ["4", "16"]
`);
  made('sweep', 'study.toml', '--runs', 'runs', '--jobs', '2', '--quiet');
  const jobs = join(runs, 'jobs.json');
  writeFileSync(jobs, readFileSync(jobs, 'utf8').replace('"study":"live"', `"study":"live ${kHostile}"`).replaceAll('size=a', `size=a ${kHostile}`));
  // Some of the runs come later.
  mkdirSync(ready);
  names().slice(8).forEach(name => renameSync(join(runs, name), join(ready, name)));
  await serve('--port', '0');
});
after(() => server?.kill('SIGKILL'));

function names() {
  return readdirSync(runs).filter(name => /^[0-9a-f]{16}$/.test(name)).sort();
}
const rows = page => page.locator('#runs tbody tr').count();
const foreign = () => seen.faults.filter(fault => !fault.startsWith(`request to ${address}/`));
const textOf = (page, selector) => page.textContent(selector);

async function open(path = '/') {
  const page = seen.page;
  await page.goto(address + path);
  await page.waitForSelector('main[data-ready]');
  return page;
}

/** Waits until the page says it, without a reload. */
const until = (page, selector, words) =>
  page.waitForFunction(([place, text]) => document.querySelector(place)?.textContent.includes(text), [selector, words]);

test('a run that begins appears, its curve grows, and it ends, without a reload', async () => {
  const page = await open();
  await page.evaluate(() => (window.theSame = true));
  await page.waitForFunction(() => document.querySelectorAll('#runs tbody tr').length === 8);
  const name = readdirSync(ready)[0];
  // A run as it is while it trains: no result, and the first lines of its log.
  const lines = readFileSync(join(ready, name, 'metrics.jsonl'), 'utf8').trimEnd().split('\n').filter(line => !line.includes('validation'));
  const place = join(folder, 'coming');
  cpSync(join(ready, name), place, {recursive: true});
  rmSync(join(place, 'result.json'));
  writeFileSync(join(place, 'metrics.jsonl'), `${lines[0]}\n`);
  renameSync(place, join(runs, name));
  await page.waitForFunction(() => document.querySelectorAll('#runs tbody tr').length === 9);
  await until(page, '#runs tbody', 'running');
  await until(page, '#cells', 'running');
  await page.waitForSelector('#curves .legend li');
  const last = JSON.parse(lines[0]);
  const tokens = () => page.textContent('#curves .legend .value');
  assert.ok((await tokens()).endsWith(`at ${short(last.tokens)}`), await tokens());
  for (const line of lines.slice(1, 4)) appendFileSync(join(runs, name, 'metrics.jsonl'), `${line}\n`);
  const grown = `at ${short(JSON.parse(lines.slice(0, 4).at(-1)).tokens)}`;
  await page.waitForFunction(text => document.querySelector('#curves .legend .value')?.textContent.endsWith(text), grown);
  rmSync(join(runs, name), {recursive: true});
  renameSync(join(ready, name), join(runs, name));
  await page.waitForFunction(() => ![...document.querySelectorAll('#runs tbody td')].some(each => each.textContent === 'running'));
  assert.equal(await rows(page), 9);
  assert.equal(await page.evaluate(() => window.theSame), true);
  assert.deepEqual(foreign(), []);
});

// As src/draw/numbers.ts writes it.
const short = value => (value >= 999.95 ? `${Number((value / 1e3).toPrecision(4))} k` : String(value));

test('names are text, never markup', async () => {
  const page = await open();
  await until(page, '#title', kHostile);
  await until(page, '#runs tbody', kHostile);
  assert.equal(await page.locator('img').count(), 0);
  assert.deepEqual(foreign(), []);
});

test('the law changes as runs end', async () => {
  const page = await open();
  for (const name of readdirSync(ready)) renameSync(join(ready, name), join(runs, name));
  await page.waitForFunction(() => document.querySelectorAll('#runs tbody tr').length === 12);
  // A page may not be told so much, but it may ask.
  const fitted = async () => (await (await fetch('/api/fit')).json()).fit?.training?.points ?? 0;
  await page.waitForFunction(fitted, undefined, {polling: 500, timeout: 60_000});
  for (const end = Date.now() + 240_000; (await page.evaluate(fitted)) !== 12; await new Promise(resolve => setTimeout(resolve, 500)))
    assert.ok(Date.now() < end, 'the law is fitted to all runs that ended');
  assert.match(await textOf(page, '#law-says'), /fitted to|have the whole fit/);
  assert.deepEqual(foreign(), []);
});

test('the planner opens on the fit of these runs, and the report on their rows', async () => {
  const page = await open();
  await page.waitForFunction(() => document.querySelector('#links a').textContent === 'Plan with this fit', undefined, {timeout: 240_000});
  const study = (await page.getAttribute('#links a', 'href')).split('=')[1].split('#')[0];
  const {fit} = await (await fetch(`${address}/api/fit?study=${study}`)).json();
  await page.click('#links a');
  await page.waitForSelector('main[data-ready]');
  assert.deepEqual(JSON.parse(await textOf(page, '#fit[type="application/json"]')), fit);
  await page.waitForSelector('#answer .lead, #answer .problem');
  await page.goto(`${address}/report?study=${study}`);
  await page.waitForSelector('main[data-ready]');
  assert.deepEqual(foreign(), []);
});

test('a choice of curves, filters and the keyboard', async () => {
  const page = await open();
  await page.waitForSelector('#curves .legend li');
  const before = await page.locator('#curves .legend li').count();
  await page.locator('#curves .legend button').first().press('Enter');
  await page.waitForFunction(count => document.querySelectorAll('#curves .legend li').length === count, before - 1);
  await page.locator('#runs tbody tr:not(:has(input:checked)) input').first().press('Space');
  await page.waitForFunction(count => document.querySelectorAll('#curves .legend li').length === count, before);
  await page.fill('#filter', 'P_w=4');
  await until(page, '#runs', '6 of 12 runs.');
  await page.fill('#filter', 'nothing=4');
  await until(page, '#filter-problem', 'is not a column');
  await page.fill('#filter', '');
  await page.locator('#runs thead button', {hasText: 'validation loss'}).press('Enter');
  const losses = await page.locator('#runs tbody tr td:nth-child(9)').allTextContents();
  assert.deepEqual(losses.map(Number), losses.map(Number).sort((a, b) => a - b));
  assert.deepEqual(foreign(), []);
});

for (const [name, options] of [['light', {colorScheme: 'light'}], ['dark', {colorScheme: 'dark'}],
                               ['narrow', {viewport: {width: 400, height: 800}}]]) {
  test(`axe finds nothing: ${name}`, async () => {
    await seen.page.close();
    await newPage(options);
    const page = await open();
    await page.waitForSelector('#curves .legend li');
    await fitsItsWidth(page);
    await accessible(page);
    assert.deepEqual(foreign(), []);
  });
}

test('where the program is gone, the page says so; when it is back, the page goes on', async () => {
  const page = await open();
  const {port} = new URL(address);
  const start = Date.now();
  await stop();
  assert.ok(Date.now() - start < 2000, 'Ctrl-C ends it at once, with a viewer');
  await until(page, '#status', 'does not answer');
  assert.ok((await textOf(page, '#status')).includes('as it was at'));
  assert.equal(await rows(page), 12);
  await serve('--port', port);
  await until(page, '#status', 'Live');
  assert.deepEqual(foreign().filter(fault => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/.test(fault)), []);
});

test('with a token: nothing without it, one visit with it, and it leaves the address bar', async () => {
  await stop();
  writeFileSync(join(folder, 'token'), 'f'.repeat(40));
  assert.equal(await serve('--port', '0', '--token-file', join(folder, 'token')), null);
  const page = seen.page;
  assert.equal((await page.goto(`${address}/`)).status(), 401);
  assert.equal((await page.goto(`${address}/api/runs`)).status(), 401);
  await page.goto(`${address}/?token=${'f'.repeat(40)}`);
  await page.waitForSelector('main[data-ready]');
  assert.equal(page.url(), `${address}/`);
  assert.equal(await page.evaluate(() => document.cookie), '');
  await page.waitForFunction(() => document.querySelectorAll('#runs tbody tr').length === 12);
});

test('the program changed nothing in the folder', () => {
  assert.equal(existsSync(join(runs, 'index.sqlite')), false);
});

// `bitlaw planner` in a real browser: a folder behind a web server, which then goes away, and a page that
// starts with a fit.
//
//   BITLAW_TEST_OF='build/page build/release/bitlaw' node --test web/page/browser/site_test.mjs
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {extname, join} from 'node:path';
import {test} from 'node:test';
import {folder, newPage, program, seen} from './harness.mjs';

const kTypes = {'.html': 'text/html', '.js': 'text/javascript', '.svg': 'image/svg+xml',
                '.webmanifest': 'application/manifest+json', '.txt': 'text/plain'};

async function serve(site) {
  const asked = [];
  const server = createServer((request, response) => {
    const path = join(site, request.url === '/' ? 'index.html' : new URL(request.url, 'http://x').pathname);
    asked.push(request.url);
    if (!existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {'content-type': kTypes[extname(path)]}).end(readFileSync(path));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {server, asked, address: `http://127.0.0.1:${server.address().port}/`};
}

test('a folder for a web server opens, and opens again without the server', async () => {
  const site = join(folder, 'site');
  execFileSync(program, ['planner', '--out', site]);
  const {server, asked, address} = await serve(site);
  const page = await newPage();
  await page.goto(address);
  await page.waitForSelector('#answer .lead');
  const answer = await page.textContent('#answer .lead');
  await page.evaluate(async () => {
    const {active} = await navigator.serviceWorker.ready;
    while (active.state !== 'activated') await new Promise(resolve => setTimeout(resolve, 20));
  });
  server.close();
  server.closeAllConnections();
  await page.reload();
  await page.waitForSelector('#answer .lead');
  assert.equal(await page.textContent('#answer .lead'), answer);
  assert.ok(asked.every(url => existsSync(join(site, url === '/' ? 'index.html' : url))), asked.join(' '));
  assert.deepEqual(seen.faults.filter(fault => !fault.startsWith(`request to ${address}`)), []);
});

test('a page made with a fit starts with it', async () => {
  const rows = ['N,D,loss'];
  for (const N of [1e6, 3e6, 1e7, 3e7, 1e8])
    for (const D of [2e7, 1e8, 5e8, 2e9])
      rows.push(`${N},${D},${1.7 + 400 / N ** 0.34 + 410 / D ** 0.28 + 0.002 * Math.sin(N / 3e5 + D / 1e7)}`);
  const [table, fit, out] = ['t.csv', 'my own fit.json', 'p.html'].map(name => join(folder, name));
  writeFileSync(table, rows.join('\n') + '\n');
  execFileSync(program, ['fit', table, '--law', 'chinchilla', '--out', fit], {stdio: 'pipe'});
  execFileSync(program, ['planner', '--fit', fit, '--out', out]);
  const page = await newPage();
  await page.goto(`file://${out}`);
  await page.waitForSelector('#answer .lead');
  const {optimum} = JSON.parse(execFileSync(
      program, ['plan', '--fit', fit, '--compute', '1e21', '--json'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}));
  assert.ok((await page.textContent('#answer .lead')).includes(`a loss of ${optimum.loss.toFixed(4)}`), optimum.loss);
  assert.deepEqual(seen.faults, []);
});

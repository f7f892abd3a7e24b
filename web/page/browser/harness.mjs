// What the browser tests share: one Chromium, a fresh page for each test, and a list of what must not happen.
import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {after, before, beforeEach} from 'node:test';
import {chromium} from 'playwright-core';

/** The folder of built pages, and the program. */
export const [pages, program] = (process.env.BITLAW_TEST_OF ?? 'build/page build/release/bitlaw')
  .split(' ')
  .map(name => resolve(name));
export const folder = mkdtempSync(join(tmpdir(), 'bitlaw-browser-'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser;

export const seen = {page: undefined, faults: []}; // errors, warnings, and requests that leave the page

before(async () => {
  browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox']});
});
after(async () => {
  await browser?.close();
  rmSync(folder, {recursive: true, force: true});
});
beforeEach(async () => {
  await seen.page?.close();
  seen.faults = [];
  await newPage();
});

export async function newPage(options = {}) {
  const page = await browser.newPage({viewport: {width: 1000, height: 1400}, ...options});
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') seen.faults.push(message.text());
  });
  page.on('pageerror', error => seen.faults.push(String(error)));
  page.on('request', request => {
    if (!/^(file|blob|data):/.test(request.url())) seen.faults.push(`request to ${request.url()}`);
  });
  seen.page = page;
  return page;
}

/** axe finds nothing; to it, a figure is one image. The page's policy forbids scripts of others, so it is checked from outside of it. */
export async function accessible(page) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run({exclude: [['svg[role=img] g']]}));
  assert.deepEqual(
    violations.map(each => `${each.id}: ${each.nodes[0].html.slice(0, 160)}`),
    [],
  );
}

/** Nothing makes the page itself scroll sideways, once figures have followed a change of its width. */
export async function fitsItsWidth(page) {
  const fits = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth;
  await page.waitForFunction(fits, null, {timeout: 10000}).catch(() => {}); // said below
  const {wide, room} = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    room: document.documentElement.clientWidth,
  }));
  assert.ok(wide <= room, `the page is ${wide} wide in ${room}`);
}

/** A downloaded file as text, by what starts the download. */
export async function downloaded(page, start) {
  const [download] = await Promise.all([page.waitForEvent('download'), start()]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return {name: download.suggestedFilename(), path, text: readFileSync(path, 'utf8')};
}

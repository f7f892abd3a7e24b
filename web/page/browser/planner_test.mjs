// The planner in a real browser.
//
//   BITLAW_TEST_OF='build/page build/release/bitlaw' node --test web/page/browser/planner_test.mjs
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeEach, test} from 'node:test';
import {accessible, folder, newPage, pages, program, seen} from './harness.mjs';

const file = join(pages, 'planner.html');
let page, faults;

beforeEach(() => ({page, faults} = seen));

async function open(link = '') {
  await page.goto(`file://${file}${link}`);
  await page.waitForSelector('main[data-ready]');
  await answered();
}

const answered = () => page.waitForSelector('#answer .lead, #answer .problem');
const textOf = selector => page.textContent(selector);

// Waits until the answer is of what was typed.
async function answerAfter(change) {
  const old = await textOf('#answer');
  await change();
  await page.waitForFunction(text => document.querySelector('#answer').textContent !== text, old);
  return textOf('#answer');
}

const plan = (...words) => JSON.parse(execFileSync(program, ['plan', ...words, '--json'], {encoding: 'utf8'}));

test('the first page answers with a loss, that of the command line', async () => {
  await open();
  const {optimum} = plan('--law', 'kumar', '--compute', '1e21');
  const said = await textOf('#answer');
  assert.ok(said.includes(`a loss of ${optimum.loss.toFixed(4)} nats`), said);
  assert.ok(said.includes(`${Number((optimum.N / 1e9).toPrecision(3))} B parameters`), said);
  assert.deepEqual(faults, []);
});

test('typed values change the answer and the link, and the link opens the same page', async () => {
  await open();
  await answerAfter(() => page.fill('#budget', '3e20'));
  const said = await answerAfter(() => page.fill('#bits', '4'));
  const {optimum} = plan('--law', 'kumar', '--compute', '3e20', '--bits', '4');
  assert.ok(said.includes(`a loss of ${optimum.loss.toFixed(4)} nats`), said);
  const link = new URL(page.url()).hash;
  await page.close();
  page = await newPage();
  await open(link);
  assert.equal(await textOf('#answer'), said);
  assert.equal(await page.inputValue('#bits'), '4');
});

test('several laws stand side by side, and whether they agree is said', async () => {
  await open('#laws=kumar,quest,additive-exp');
  assert.deepEqual(await page.$$eval('#plans thead th', cells => cells.map(cell => cell.textContent)),
                   ['quantity', 'kumar', 'quest', 'additive-exp']);
  assert.match(await textOf('#by-bits-says'), /The laws (do not )?agree on the best of these widths/);
  assert.equal(await page.$$eval('#by-bits svg', drawn => drawn.length > 0), true);
  assert.deepEqual(faults, []);
});

test('what cannot be read is one sentence beside its field', async () => {
  await open();
  for (const [field, text, words] of [
    ['budget', 'much', 'is not a number'], ['memory', '3 apples', 'is not an amount of memory'],
    ['budget', '2 weeks of 8 abacus', 'is not a device'], ['bits', '99', 'bits are one number']]) {
    await page.fill(`#${field}`, text);
    assert.ok((await textOf(`#${field}-problem`)).includes(words), text);
    assert.equal(await page.getAttribute(`#${field}`, 'aria-invalid'), 'true');
    await page.fill(`#${field}`, '');
  }
  const said = await answerAfter(() => page.fill('#laws', 'kumr'));
  assert.match(said, /unknown law 'kumr'; did you mean 'kumar'\?/);
  await answerAfter(() => page.fill('#laws', 'kumar'));
});

test('a table is fitted in the page, and plans are made with the fit', async () => {
  const path = join(folder, 'study.csv');
  execFileSync(program, ['simulate', '--law', 'kumar', '--out', path, '--seed', '1'], {stdio: 'ignore'});
  await open();
  await page.setInputFiles('#file', path);
  await page.waitForFunction(() => document.querySelector('#file-says').textContent.includes('Plans are made'));
  const fitted = join(folder, 'fit.json');
  execFileSync(program, ['fit', path, '--out', fitted], {stdio: 'ignore'});
  const {optimum} = plan('--fit', fitted, '--compute', '1e21');
  await page.waitForFunction(() => document.querySelector('#plans thead').textContent.includes('study.csv'));
  const said = await textOf('#answer');
  assert.ok(said.includes(`a loss of ${optimum.loss.toFixed(4)} [`), said);
  // The document of the command line gives the same plan.
  const again = await answerAfter(() => page.setInputFiles('#file', fitted));
  assert.equal(again.replace('fit.json', 'study.csv'), said);
  assert.deepEqual(faults, []);
});

test('names and values of a hostile table stay text', async () => {
  const path = join(folder, '<img src=x onerror=alert(1)>.csv');
  writeFileSync(path, 'N,D,loss,"<script>window.broken = 1</script>"\n1e7,1e9,3,<b>\n2e7,1e9,2.9,<i>\n');
  await open();
  await page.setInputFiles('#file', path);
  await page.waitForFunction(() => !document.querySelector('#file-says').textContent.includes('...'));
  assert.equal(await page.$$eval('img, #file-says b, #notes b', found => found.length), 0);
  assert.equal(await page.evaluate(() => window.broken), undefined);
  for (const [name, content] of [['empty.csv', ''], ['no.csv', 'a,b\n1,2\n'], ['half.json', '{"law": "kumar", "parame'],
                                 ['fit.json', '{"law": "kumar", "parameters": {"A": "x"}}']]) {
    const place = join(folder, name);
    writeFileSync(place, content);
    await page.setInputFiles('#file', place);
    await page.waitForFunction(wanted => document.querySelector('#file-says').textContent.includes(wanted) ||
                                         document.querySelector('#answer').textContent.includes(wanted), name.split('.')[0]);
  }
});

test('a link of somebody else is read with care', async () => {
  await open('#budget=1e20&evil=<script>&laws=kumar');
  assert.match(await textOf('#status'), /parts that this page does not know: evil/);
});

for (const scheme of ['light', 'dark']) {
  test(`people with a screen reader can use it, in ${scheme} colours`, async () => {
    await page.emulateMedia({colorScheme: scheme});
    await open();
    await page.waitForSelector('#frontier svg');
    await accessible(page);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'budget');
  });
}

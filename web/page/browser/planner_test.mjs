// The planner in a real browser.
//
//   BITLAW_TEST_OF='build/page build/release/bitlaw' node --test web/page/browser/planner_test.mjs
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {before, beforeEach, test} from 'node:test';
import {accessible, downloaded, fitsItsWidth, folder, newPage, pages, program, seen} from './harness.mjs';

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

const drawn = () => page.waitForSelector('main[data-drawn]');

// Waits until the answer is of what was typed.
async function answerAfter(change) {
  const old = await textOf('#answer');
  await change();
  await page.waitForFunction(text => document.querySelector('#answer').textContent !== text, old);
  return textOf('#answer');
}

// A figure's data, as it is downloaded.
async function dataOf(name) {
  await drawn();
  await page.locator(`#${name}-figure`).scrollIntoViewIfNeeded();
  const {text} = await downloaded(page, () => page.click(`#${name}-figure .figure-files button:text-is("CSV")`));
  const [head, ...lines] = text.trim().split('\r\n').map(line => line.match(/("[^"]*"|[^,]*)(,|$)/g).map(cell => cell.replace(/,$/, '').replaceAll('"', '')));
  return lines.map(line => Object.fromEntries(head.map((column, i) => [column, line[i]])));
}

// Medians over nine budgets, in milliseconds as the page measures them.
async function timesOfAnswers() {
  const times = {answer: [], figures: []};
  for (let i = 1; i <= 9; ++i) {
    await page.fill('#budget', `${i}e20`);
    await drawn();
    for (const place of ['answer', 'figures']) times[place].push(Number(await page.getAttribute(`#${place}`, 'data-ms')));
  }
  const middle = list => list.sort((a, b) => a - b)[4];
  return {answer: middle(times.answer), figures: middle(times.figures)};
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

test('what the number rests on stands with it', async () => {
  await open();
  assert.match(await textOf('#cautions'), /^Extrapolates beyond the runs that the constants were fitted to: N is 24/);
  await answerAfter(() => page.fill('#laws', 'additive-exp'));
  assert.match(await textOf('#answer .problem'), /^Do not rely on this: additive-exp has no complete set of published constants/);
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

test('several laws stand side by side, chosen from a list, and how far they disagree is drawn', async () => {
  await open();
  await page.click('text=Choose laws from a list');
  await page.check('#law-list input[value="quest"]');
  await page.check('#law-list input[value="chinchilla:besiroglu"]');
  assert.equal(await page.inputValue('#laws'), 'kumar,quest,chinchilla:besiroglu');
  await drawn();
  assert.deepEqual(await page.$$eval('#plans thead th', cells => cells.map(cell => cell.textContent)),
                   ['quantity', 'kumar', 'quest', 'chinchilla:besiroglu']);
  const {optimum} = plan('--law', 'chinchilla', '--constants', 'besiroglu', '--compute', '1e21');
  assert.ok((await textOf('#plans')).includes(optimum.loss.toFixed(4)));
  assert.match(await textOf('#bits-figure figcaption'), /The laws (do not )?agree on the best of these widths/);
  assert.match(await textOf('#bits-figure figcaption'), /besiroglu does not say what bits in training change/);
  for (const name of ['bits', 'budget'])
    assert.ok((await textOf(`#${name}-figure .figure-legend`)).includes('range of the laws'));
  await page.fill('#laws', 'quest');
  assert.equal(await page.isChecked('#law-list input[value="kumar"]'), false);
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
  await page.fill('#budget', 'much');
  assert.match(await textOf('#status'), /^What stands here is of an earlier question/);
  await page.fill('#budget', '1e21');
  assert.equal(await textOf('#status'), '');
  const said = await answerAfter(() => page.fill('#laws', 'kumr'));
  assert.match(said, /unknown law 'kumr'; did you mean 'kumar'\?/);
  await answerAfter(() => page.fill('#laws', 'kumar'));
});

test('a budget beyond all numbers does not end the page', async () => {
  await open();
  await answerAfter(() => page.fill('#budget', '1e308'));
  await page.waitForFunction(() => document.querySelector('main').hasAttribute('data-drawn') || document.querySelector('#status').textContent !== '');
  await page.fill('#budget', '3e20');
  await page.waitForFunction(loss => document.querySelector('#answer').textContent.includes(loss), plan('--law', 'kumar', '--compute', '3e20').optimum.loss.toFixed(4));
  assert.equal(await textOf('#status'), '');
});

test('a slider is moved by keys, writes into its field, and says in words where it is', async () => {
  await open();
  await page.focus('#budget-slider');
  const before = await textOf('#answer');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(text => document.querySelector('#answer').textContent !== text, before);
  assert.equal(await page.inputValue('#budget'), '1.1e21');
  assert.equal(await page.getAttribute('#budget-slider', 'aria-valuetext'), '1.1 times 10 to the 21 FLOP');
  const {optimum} = plan('--compute', '1.1e21');
  assert.ok((await textOf('#answer')).includes(`a loss of ${optimum.loss.toFixed(4)} nats`));
  // What is not typed, the plan chooses: the slider stands there.
  assert.match(await page.getAttribute('#params-slider', 'aria-valuetext'), /^chosen by the plan, 5.* billion parameters$/);
  await page.focus('#params-slider');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.inputValue('#params'), '5 B');
  await page.waitForFunction(() => document.querySelector('#answer').textContent.includes('Train 5 B'));
  // A typed value beyond the slider counts as it is typed.
  const said = await answerAfter(() => page.fill('#params', '123 B'));
  assert.match(said, /Train 123 B parameters/);
  assert.equal(await page.getAttribute('#params-slider', 'aria-valuetext'), '123 billion parameters');
});

test('a link carries all fields, and opens the disclosure that it fills', async () => {
  const link = '#budget=1e22&memory=24+GB&bits=4&key_bits=8&value_bits=4&post_bits=3&vocabulary=50304&tied_head=yes' +
      '&context=8192&device=H100&run_params=1+B&run_tokens=20+B&run_loss=3';
  await open(link);
  await drawn();
  const {optimum} = plan('--compute', '1e22', '--memory-bytes', '24e9', '--bits', '4', '--key-bits', '8', '--value-bits', '4',
                         '--post-bits', '3', '--vocabulary', '50304', '--tied-head', '--context', '8192');
  assert.ok((await textOf('#answer')).includes(`a loss of ${optimum.loss.toFixed(4)} nats`), await textOf('#answer'));
  assert.equal(await page.isVisible('#key_bits'), true);
  assert.equal(await page.isChecked('#tied_head'), true);
  assert.match(await textOf('#formats'), /formats of H100/);
  const [{loss}] = JSON.parse(execFileSync(program, ['predict', '--law', 'kumar', 'N=1e9', 'D=20e9', '--json'], {encoding: 'utf8'})).predictions;
  assert.ok((await textOf('#run-says')).includes(`kumar predicts ${loss.toFixed(4)}; measured 3.0000`), await textOf('#run-says'));
  const fields = text => Object.fromEntries(new URLSearchParams(text));
  assert.deepEqual(fields(new URL(page.url()).hash.slice(1)), fields(link.slice(1)));
  assert.deepEqual(faults, []);
});

test('landscapes have the losses of the command line, the optimum, your run and the critical data', async () => {
  await open('#run_params=2+B&run_tokens=40+B&run_bits=8');
  const size = await dataOf('size');
  const cells = size.filter(row => row.what === 'cell');
  assert.ok(cells.length > 500);
  for (const cell of [cells[0], cells[Math.floor(cells.length / 2)], cells.at(-1)]) {
    const {optimum} = plan('--compute', '1e21', '--params', cell['parameters N'], '--bits', cell['bits in training']);
    const shown = Number(cell['loss, nats per token']);
    assert.ok(Math.abs(shown / optimum.loss - 1) < 1e-10, `${JSON.stringify(cell)}: ${optimum.loss}`);
  }
  const {optimum} = plan('--compute', '1e21');
  const marked = name => size.find(row => row.series === name);
  assert.ok(Math.abs(marked('the plan')['parameters N'] / optimum.N - 1) < 1e-6);
  assert.equal(Number(marked('your run')['parameters N']), 2e9);
  const data = await dataOf('data');
  const some = data.filter(row => row.what === 'cell')[200];
  const [{loss}] = JSON.parse(execFileSync(program, ['predict', '--law', 'kumar', `N=${optimum.N}`, `D=${some['training tokens D']}`,
                                                     `P_post=${some['bits of the weights after training']}`, '--json'], {encoding: 'utf8'})).predictions;
  assert.ok(Math.abs(some['loss, nats per token'] / loss - 1) < 1e-6);
  const critical = plan('--critical-data', '--params', String(optimum.N), '--bits', '3').critical_data[0].tokens;
  const place = data.find(row => row.series === 'critical data' && row['bits of the weights after training'] === '3');
  assert.ok(Math.abs(place['training tokens D'] / critical - 1) < 1e-6);
  assert.equal(await page.$$eval('#size-figure svg rect', all => all.length > 500), true);
});

test('what the formats of a device change is one table', async () => {
  await open('#budget=2+weeks+of+8+B200');
  await drawn();
  const rows = await page.$$eval('#formats tbody tr', all => all.map(row => [...row.children].map(cell => cell.textContent)));
  assert.deepEqual(rows.map(row => row[0]), ['16 bits only', 'and 8 bits', 'and 4 bits']);
  const hours = String(2 * 168 * 8);
  for (const [i, widths] of ['16', '16,8', '16,8,4'].entries()) {
    const {optimum} = plan('--gpu-hours', hours, '--device', 'b200', '--available-bits', widths);
    assert.equal(rows[i][4], optimum.loss.toFixed(4));
  }
});

const study = join(folder, 'study.csv');
before(() => execFileSync(program, ['simulate', '--law', 'kumar', '--out', study, '--seed', '1'], {stdio: 'ignore'}));
const readFile = path => page.setInputFiles('#file', path);
const saysOfFile = words => page.waitForFunction(wanted => document.querySelector('#file-says').textContent.includes(wanted), words, {timeout: 60000});

test('a table is judged and fitted in the page, plans are made with the fit, and next runs are proposed', async () => {
  await open();
  await readFile(study);
  await page.waitForSelector('#progress:not([hidden])');
  // Plans go on meanwhile.
  await answerAfter(() => page.fill('#budget', '2e21'));
  await answerAfter(() => page.fill('#budget', '1e21'));
  await saysOfFile('Plans are made');
  console.log(`# fit of 500 rows with 400 draws: ${await page.getAttribute('#file-says', 'data-seconds')} s`);
  const fitted = join(folder, 'fit.json');
  execFileSync(program, ['fit', study, '--out', fitted], {stdio: 'ignore'});
  const {optimum} = plan('--fit', fitted, '--compute', '1e21');
  await page.waitForFunction(() => document.querySelector('#plans thead').textContent.includes('study.csv'));
  const said = await textOf('#answer');
  assert.ok(said.includes(`a loss of ${optimum.loss.toFixed(4)} [`), said);
  const judged = await textOf('#fit-judged');
  assert.match(judged, /15 of 19 constants of kumar are identified/);
  assert.match(judged, /The rows vary N from 30 M to 220 M, D from .*bits of weights from 3 to 16/);
  await page.waitForFunction(() => document.querySelector('#fit-judged').textContent.includes('Proposed runs'), null, {timeout: 60000});
  await drawn();
  const times = await timesOfAnswers();
  console.log(`# an answer by a fit with 400 draws, and one by kumar: ${times.answer} ms, their figures: ${times.figures} ms (medians of 9)`);
  await page.fill('#budget', '1e21');
  // Alone, it is drawn with its losses and both intervals.
  await page.fill('#laws', '');
  await drawn();
  assert.match(await textOf('#bits-figure .figure-key'), /interval of the mean; light band: of one run/);
  await page.fill('#laws', 'kumar');
  await drawn();
  // The document of the command line gives the same plan.
  const again = await answerAfter(() => readFile(fitted));
  assert.equal(again.replaceAll('fit.json', 'study.csv'), said);
  await page.click('#forget');
  await page.waitForFunction(() => document.querySelector('#answer').textContent.includes('by kumar'));
  assert.deepEqual(faults, []);
});

test('a fit can be cancelled, and a new file ends the one before it', async () => {
  await open();
  const before = await textOf('#answer');
  await readFile(study);
  await page.waitForSelector('#progress:not([hidden])');
  await page.click('#cancel');
  await saysOfFile('Cancelled');
  assert.equal(await page.isVisible('#progress'), false);
  const other = join(folder, 'other.csv');
  execFileSync(program, ['simulate', '--law', 'chinchilla', '--out', other, '--seed', '2'], {stdio: 'ignore'});
  await readFile(study);
  await page.waitForSelector('#progress:not([hidden])');
  await readFile(other);
  await saysOfFile('"other.csv": ');
  await page.waitForFunction(() => document.querySelector('#plans thead').textContent.includes('other.csv'));
  assert.equal((await textOf('#plans')).includes('study.csv'), false);
  await page.click('#forget');
  await page.waitForFunction(old => document.querySelector('#answer').textContent === old, before);
  assert.deepEqual(faults, []);
});

test('a fit that the page is served with is the first to answer', async () => {
  const fitted = join(folder, 'served.json');
  execFileSync(program, ['fit', study, '--draws', '30', '--out', fitted], {stdio: 'ignore'});
  const served = join(folder, 'served.html');
  const made = readFileSync(file, 'utf8');
  const place = made.indexOf('<script');  // as `bitlaw serve` does it
  const given = JSON.stringify({name: 'width-study', fit: JSON.parse(readFileSync(fitted, 'utf8'))}).replaceAll('<', '\\u003c');
  writeFileSync(served, `${made.slice(0, place)}<script type="application/json" id="given-fit">${given}</script>\n${made.slice(place)}`);
  await page.goto(`file://${served}#budget=3e20`);
  await page.waitForSelector('#answer .lead');
  const {optimum} = plan('--fit', fitted, '--compute', '3e20');
  assert.ok((await textOf('#answer')).includes(`a loss of ${optimum.loss.toFixed(4)}`));
  assert.match(await textOf('#file-says'), /the fit of width-study/);
  assert.deepEqual(faults, []);
});

test('link and picture to share', async () => {
  await open('#laws=kumar');
  await drawn();
  const svg = await downloaded(page, () => page.click('#picture-svg'));
  const {optimum} = plan('--compute', '1e21');
  for (const words of ['1e21 FLOP: how many', optimum.loss.toFixed(4), 'Loss over parameters and bits'])
    assert.ok(svg.text.includes(words), words);
  const png = await downloaded(page, () => page.click('#picture-png'));
  const bytes = readFileSync(png.path);
  assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [2400, 1350]);
  await readFile(study);
  await saysOfFile('Plans are made');
  await page.click('#copy-link');
  await page.waitForFunction(() => document.querySelector('#share-says').textContent.includes('not the fit of study.csv'));
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
  const odd = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70]);
  for (const [name, content, words] of [
    ['empty.csv', '', '"empty.csv" is empty.'], ['no.csv', 'a,b\n1,2\n', 'no.csv'], ['half.json', '{"law": "kumar", "parame', 'half.json'],
    ['picture.csv', odd, '"picture.csv" is not text'], ['runs.csv.gz', Buffer.from([0x1f, 0x8b, 8, 0]), 'is compressed; unpack it first'],
    ['large.csv', Buffer.alloc(20_000_001, 49), 'this page reads up to 20 MB'], ['one.csv', 'N,D,loss\n1e7,1e9,3\n', '1 run cannot determine the 3 constants'],
    ['nul.csv', 'N,D,loss\n1e7,1e9,\0\n', '"nul.csv" is not text']]) {
    const place = join(folder, name);
    writeFileSync(place, content);
    await page.setInputFiles('#file', place);
    await saysOfFile(words);
    assert.equal(await page.isVisible('#progress'), false, name);
  }
  const damaged = join(folder, 'fit.json');
  await drawn();
  const answer = await textOf('#answer');
  for (const [content, words] of [['{"law": "kumar", "parameters": {"A": "x"}}', 'the fit has no value for'], ['{"law": "kumar", "parameters": {}}', 'the fit has no value for'],
                                  ['{"law": "nobody", "parameters": {}}', 'a fit of nobody, a law that this version does not know']]) {
    writeFileSync(damaged, content);
    await page.setInputFiles('#file', damaged);
    await saysOfFile(words);
    const said = await textOf('#file-says');
    assert.match(said, /^"fit\.json": .*Plans are made with the constants as before\.$/);
    assert.equal(await textOf('#answer'), answer);
  }
});

test('a broken fit leaves the one before it, also where the page came with it', async () => {
  const fitted = join(folder, 'kept.json'), damaged = join(folder, 'broken.json');
  execFileSync(program, ['fit', study, '--draws', '30', '--out', fitted], {stdio: 'ignore'});
  writeFileSync(damaged, '{"law": "kumar", "parameters": {}}');
  await open();
  const own = await answerAfter(() => readFile(fitted));
  await readFile(damaged);
  await saysOfFile('the fit has no value for');
  await drawn();
  assert.equal(await textOf('#answer'), own);
  const made = readFileSync(file, 'utf8');
  const place = made.indexOf('<script');
  const served = join(folder, 'served_broken.html');
  writeFileSync(served, `${made.slice(0, place)}<script type="application/json" id="given-fit">${readFileSync(damaged, 'utf8')}</script>\n${made.slice(place)}`);
  await page.goto(`file://${served}`);
  await saysOfFile('The fit that this page was given cannot be used: the fit has no value for');
  await page.waitForFunction(() => document.querySelector('#answer').textContent.includes('by kumar'));
});

test('a table in UTF-16 is read', async () => {
  const path = join(folder, 'wide.csv');
  writeFileSync(path, Buffer.from(`\ufeff${readFileSync(study, 'utf8')}`, 'utf16le'));
  await open();
  await readFile(path);
  await saysOfFile('Plans are made with this fit');
});

test('all laws are those of the command line', async () => {
  await open('#laws=all');
  await drawn();
  const {plans} = plan('--laws', 'all', '--compute', '1e21');
  const shown = await page.$$eval('#plans thead th', cells => cells.slice(1).map(cell => cell.textContent));
  assert.deepEqual(shown, plans.map(each => each.law));
  assert.deepEqual(faults, []);
});

test('a link of somebody else is read with care', async () => {
  await open('#budget=1e20&evil=<script>&laws=kumar');
  assert.match(await textOf('#status'), /parts that this page does not know: evil/);
});

test('malformed links give a sentence, never a blank page', async () => {
  for (const link of ['#%E0%A4%A', '#budget=%00%00', '#=&&&=', '#bits=' + encodeURIComponent('"><img src=x>'), '#device=abacus&laws=,,,']) {
    await page.goto('about:blank');
    await page.goto(`file://${file}${link}`);
    await page.waitForFunction(() => document.querySelector('#answer')?.textContent || [...document.querySelectorAll('.problem')].some(each => each.textContent));
    assert.equal(await page.$$eval('img', all => all.length), 0);
  }
  assert.deepEqual(faults, []);
});

test('a browser that lacks WebAssembly gets a sentence', async () => {
  await page.addInitScript(() => { delete globalThis.WebAssembly; });
  await page.goto(`file://${file}`);
  await page.waitForFunction(() => document.querySelector('#status').textContent.includes('does not run in this browser'));
});

test('without scripts, or with a browser that cannot read them, a sentence stays', async () => {
  const old = await newPage({javaScriptEnabled: false});
  await old.goto(`file://${file}`);
  assert.match(await old.textContent('#status'), /If this sentence stays, the browser cannot run it/);
  await page.bringToFront();
  await open();
  assert.equal(await textOf('#status'), '');
});

test('what a law does not say is said, not drawn', async () => {
  await open('#laws=chinchilla');
  await drawn();
  assert.match(await textOf('#size-figure figcaption'), /^Nothing to draw: chinchilla does not say what bits in training change\.$/);
  assert.match(await textOf('#data-figure figcaption'), /^Nothing to draw: chinchilla does not model quantization after training/);
  assert.equal(await page.$$eval('#size-figure .figure-panels svg, #data-figure .figure-panels svg', all => all.length), 0);
  await page.fill('#laws', 'quest');
  await drawn();
  assert.match(await textOf('#size-figure figcaption'), /quest has constants for a few precisions/);
  assert.deepEqual(faults, []);
});

test('an answer takes little time', async () => {
  await open();
  const {answer, figures} = await timesOfAnswers();
  console.log(`# an answer: ${answer} ms, its figures: ${figures} ms (medians of 9)`);
  assert.ok(answer < 500);
});

for (const scheme of ['light', 'dark']) {
  test(`people with a screen reader can use it, in ${scheme} colours`, async () => {
    await page.emulateMedia({colorScheme: scheme});
    await open('#laws=kumar,quest&key_bits=&run_params=1+B&run_tokens=20+B');
    await drawn();
    await page.click('text=Choose laws from a list');
    await page.locator('#frontier-figure svg').first().waitFor({state: 'attached'});
    await accessible(page);
    await page.evaluate(() => document.activeElement.blur());
    await page.locator('h1').click();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'budget');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'budget-slider');
  });
}

test('a phone needs no scrolling sideways', async () => {
  await page.setViewportSize({width: 400, height: 800});
  await open('#laws=kumar,quest,chinchilla&run_params=1+B&run_tokens=20+B');
  await drawn();
  await page.click('text=Choose laws from a list');
  for (const place of ['#size-figure', '#bits-figure', '#frontier-figure']) {
    await page.locator(place).scrollIntoViewIfNeeded();
    await page.locator(`${place} svg`).first().waitFor({state: 'attached'});
  }
  await fitsItsWidth(page);
  assert.deepEqual(faults, []);
});

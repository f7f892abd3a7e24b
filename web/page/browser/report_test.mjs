// The report of the program in a real browser.
//
//   BITLAW_TEST_OF='build/page build/release/bitlaw' node --test web/page/browser/report_test.mjs
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {before, test} from 'node:test';
import {accessible, downloaded, fitsItsWidth, folder, program, seen} from './harness.mjs';

const run = (...words) => execFileSync(program, words, {encoding: 'utf8', maxBuffer: 1 << 29, stdio: 'pipe'});
const file = name => join(folder, name);
const hostile = `</script><script>window.broken=1</script><img src=x onerror="window.broken=1">"'&<!--`;
let said; // what the program says of the study: bitlaw report --json

before(() => {
  run(
    'simulate',
    '--law',
    'kumar',
    '--seed',
    '1',
    '--params',
    '3e7,6e7,1.1e8',
    '--tokens',
    '1.5e9,6.5e9,2.62e10',
    '--tied',
    '4,8',
    '--out',
    file('study.csv'),
  );
  // One run with a name that is markup, one that diverged.
  const lines = readFileSync(file('study.csv'), 'utf8').trimEnd().split('\n');
  lines[1] = lines[1].replace(/^[^,]+/, `"${hostile.replaceAll('"', '""')}"`);
  writeFileSync(file('study.csv'), lines.join('\n') + '\n');
  run('fit', file('study.csv'), '--out', file('fit.json'));
  run('compare', file('study.csv'), '--laws', 'kumar,chinchilla', '--out', file('compare.json'));
  const input = [
    file('study.csv'),
    '--fit',
    file('fit.json'),
    '--compare',
    file('compare.json'),
    '--title',
    `Study ${hostile}`,
  ];
  run('report', ...input, '--out', file('report.html'));
  said = JSON.parse(run('report', ...input, '--json'));
});

async function open(name = 'report.html') {
  await seen.page.goto(`file://${file(name)}`);
  await seen.page.waitForSelector('main[data-ready]');
  return seen.page;
}

/** Every figure is drawn as it comes into view. */
async function openAll(name) {
  const page = await open(name);
  for (const figure of await page.locator('figure.drawing').all()) await figure.scrollIntoViewIfNeeded();
  const wanted = said.drawings.filter(drawing => drawing.panels.length > 0).length;
  await page.waitForFunction(
    count =>
      [...document.querySelectorAll('figure.drawing')].filter(each => each.querySelector('svg[role=img]')).length ===
      count,
    wanted,
  );
  return page;
}

const textsOf = (page, selector) => page.$$eval(selector, found => found.map(each => each.textContent));
const shortest = text => text.replace(/\s+/g, ' ').trim();

test('answer, counts, figures, constants and runs are those of report --json', async () => {
  const page = await openAll();
  assert.deepEqual(await textsOf(page, 'header .answer'), said.answer);
  const facts = Object.fromEntries(
    await page.$$eval('.facts div', found => found.map(each => [...each.children].map(part => part.textContent))),
  );
  assert.equal(facts['runs'], String(said.summary.runs));
  assert.equal(facts['diverged'], String(said.summary.diverged));
  assert.equal(facts['quantized cells'], String(said.summary.cells));
  assert.ok((await page.textContent('.sources')).includes(said.summary.version));
  assert.deepEqual(
    await textsOf(page, 'figure.drawing .figure-title'),
    said.drawings.map(each => each.title),
  );
  assert.deepEqual(
    (await textsOf(page, 'figure.drawing figcaption')).map(shortest),
    said.drawings.map(each => shortest(each.says)),
  );
  const constants = await page.$$eval('section:has(> h2:text-is("Fitted constants")) tbody tr', rows =>
    rows.map(row => [...row.cells].map(cell => cell.textContent)),
  );
  assert.deepEqual(
    constants.map(row => row[0]),
    said.constants.map(each => each.name),
  );
  for (const [i, each] of said.constants.entries()) {
    const open = each.identified === false && !each.frozen;
    if (open) assert.equal(constants[i][1], '–', `${each.name} is not identified and gets no number`);
    else if (Math.abs(each.value) >= 1e-4 && Math.abs(each.value) < 1e4)
      assert.equal(Number(constants[i][1]), Number(each.value.toPrecision(5)));
  }
  const runs = said.rows.length;
  assert.match(await page.textContent('#filter-says'), new RegExp(`^${runs} of ${runs} rows`));
  assert.deepEqual(seen.faults, []);
});

test('a figure shows every point of its drawing', async () => {
  const page = await openAll();
  for (const [i, drawing] of said.drawings.entries()) {
    const figure = page.locator('figure.drawing').nth(i),
      panels = drawing.panels.slice(0, 12);
    const counted = panels.flatMap(panel => panel.series ?? []).flatMap(series => series.points ?? []).length;
    const lost = Number(
      /^(\d+) points? at or below/.exec(await figure.locator('.figure-key[role=status]').textContent())?.[1] ?? 0,
    );
    assert.equal((await figure.locator('.figure-point path').count()) + lost, counted, drawing.title);
    assert.equal(await figure.locator('svg[role=img]').count(), panels.length, drawing.title);
  }
});

test('the table is sorted and filtered', async () => {
  const page = await open();
  const table = page.locator('section:has(> h2:text-is("Runs and quantized cells"))');
  const column = async name => {
    const at = (await table.locator('thead th').allTextContents()).indexOf(name) + 1;
    return table.locator(`tbody td:nth-child(${at})`).allTextContents();
  };
  const losses = async () => (await column('loss')).filter(text => text !== '').map(Number);
  await table.getByRole('button', {name: 'loss', exact: true}).click();
  assert.equal(await table.locator('th[aria-sort=ascending]').textContent(), 'loss');
  const up = await losses();
  assert.deepEqual(
    up,
    [...up].sort((a, b) => a - b),
  );
  await table.getByRole('button', {name: 'loss', exact: true}).press('Enter');
  assert.equal(await table.locator('th[aria-sort=descending]').textContent(), 'loss');
  const down = await losses();
  assert.deepEqual(
    down,
    [...down].sort((a, b) => b - a),
  );
  for (const [line, keeps] of [
    ['N>1e8 P_w=4', row => row.N > 1e8 && row.P_w === 4],
    ['P_post<16', row => row.P_post < 16],
    ['d/n>=100', row => row.D / row.N >= 100],
  ]) {
    await page.fill('#filter', line);
    assert.match(await page.textContent('#filter-says'), new RegExp(`^${said.rows.filter(keeps).length} of `), line);
  }
  await page.fill('#filter', 'colour=red');
  assert.match(await page.textContent('#filter-says'), /"colour" is not a column/);
  assert.equal(await page.getAttribute('#filter', 'aria-invalid'), 'true');
  await page.fill('#filter', 'P_post=3');
  const {text} = await downloaded(page, () => page.getByRole('button', {name: 'These rows as CSV'}).click());
  assert.equal(text.trimEnd().split('\r\n').length, 1 + said.rows.filter(row => row.P_post === 3).length);
});

test('a point leads to its run in the table, and back', async () => {
  const page = await openAll();
  const at = said.drawings.findIndex(drawing => drawing.panels[0]?.series?.some(series => series.points?.[0]?.run));
  const figure = page.locator('figure.drawing').nth(at);
  await figure.locator('.figure-panel').first().focus();
  await page.keyboard.press('ArrowRight');
  const tip = await figure.locator('.figure-tip').innerText();
  const name = /^run: (.*)$/m.exec(tip)[1];
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'filter');
  const shown = await textsOf(page, 'section:last-of-type tbody td:first-child');
  assert.ok(shown.length > 0 && shown.every(each => each === name), `${name}: ${shown}`);
  await page.getByRole('button', {name: 'Back to the figure'}).click();
  assert.equal(await page.evaluate(() => document.activeElement.className), 'figure-panel');
});

test('figures download as SVG and CSV with the values of report --json', async () => {
  const page = await openAll();
  const at = said.drawings.findIndex(
    drawing => drawing.panels.length > 0 && drawing.panels[0].series?.some(series => series.points?.length),
  );
  const drawing = said.drawings[at],
    figure = page.locator('figure.drawing').nth(at);
  const svg = await downloaded(page, () => figure.getByRole('button', {name: /as SVG/}).click());
  assert.equal(svg.name, `${drawing.id}.svg`);
  assert.doesNotMatch(svg.text, /var\(|currentColor|<style|href|<script/);
  assert.equal(
    await page.evaluate(
      text => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror'),
      svg.text,
    ),
    null,
  );
  const csv = await downloaded(page, () => figure.getByRole('button', {name: /as CSV/}).click());
  const series = drawing.panels[0].series.find(each => each.points?.length),
    point = series.points[0];
  const row = csv.text.split('\r\n').find(line => line.includes('point') && line.includes(series.name));
  const numbers = row.split(',').map(Number);
  // The page carries seven digits.
  for (const value of [point.x, point.y])
    assert.ok(
      numbers.some(number => Math.abs(number - value) <= 1e-6 * Math.abs(value)),
      `${value} in ${row}`,
    );
  assert.deepEqual(seen.faults, []);
});

test('names from the table are only ever text', async () => {
  const page = await openAll();
  assert.equal(await page.title(), `Study ${hostile}`);
  assert.equal(await page.textContent('h1'), `Study ${hostile}`);
  await page.fill('#filter', '</script><script>');
  assert.ok((await page.locator('section:last-of-type tbody tr').count()) >= 1);
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.deepEqual(seen.faults, []);
});

test('wrong data give a sentence, never a blank page', async () => {
  const page = readFileSync(file('report.html'), 'utf8');
  const place = /(<script id="document" type="application\/json">)([^]*?)(<\/script>)/;
  const document = JSON.parse(place.exec(page)[2]);
  for (const [name, data, words] of [
    ['cut', place.exec(page)[2].slice(0, 5000), /cannot be read/],
    ['list', '[1, 2]', /cannot be read/],
    ['empty', '', /cannot be read/],
    ['nothing', '{}', /The table has no rows/],
    [
      'types',
      JSON.stringify({
        ...document,
        drawings: [3, {title: 'T', panels: [{series: 7}, {cells: 'x'}]}],
        rows: 'none',
        answer: {},
        constants: [null, 4],
      }),
      /The table has no rows/,
    ],
    ['columns', JSON.stringify({...document, penalties: {'@rows': 2, columns: {N: 7}}}), /This part cannot be shown/],
  ]) {
    writeFileSync(
      file('wrong.html'),
      page.replace(place, (_, before_, __, after_) => before_ + data.replaceAll('<', '\\u003c') + after_),
    );
    await seen.page.goto(`file://${file('wrong.html')}`);
    assert.match(await seen.page.textContent('main'), words, name);
  }
  assert.deepEqual(seen.faults, []);
  // A browser without scripts shows what it needs.
  const {page: old} = seen;
  writeFileSync(file('wrong.html'), page.replace(/<script>[^]*<\/script>/, ''));
  await old.goto(`file://${file('wrong.html')}`);
  assert.match(await old.textContent('main'), /the browser cannot/);
});

// Pixels differ between versions of fonts, so what is checked is the layout: no text on top of other text of the same
// panel, and colours that are there.
test('in a panel no label lies on another, and figures are not blank', async () => {
  const page = await openAll();
  const overlaps = await page.$$eval('svg[role=img]', drawn =>
    drawn.flatMap(svg => {
      // The numbers in cells and the names of lines stand inside the frame, over what they are about.
      const boxes = [...svg.querySelectorAll('text')]
        .map(text => ({text: text.textContent, box: text.getBoundingClientRect()}))
        .filter(each => each.box.width > 0);
      const title = svg.getAttribute('aria-label').slice(0, 60);
      return boxes.flatMap(({text, box: a}, i) =>
        boxes
          .slice(i + 1)
          .filter(
            ({box: b}) =>
              Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
              Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3,
          )
          .map(other => `${title}: "${text}" on "${other.text}"`),
      );
    }),
  );
  assert.deepEqual(overlaps, []);
  const blank = await page.$$eval('svg[role=img]', drawn =>
    drawn
      .filter(
        svg =>
          svg.querySelectorAll(
            'path[stroke], path[fill], rect[fill], g[stroke^="var(--figure-"] path, g[fill^="var(--figure-"] path',
          ).length === 0,
      )
      .map(svg => svg.getAttribute('aria-label')),
  );
  assert.deepEqual(blank, []);
});

for (const scheme of ['light', 'dark']) {
  test(`people with a screen reader or only keys can use it, in ${scheme} colours`, async () => {
    await seen.page.emulateMedia({colorScheme: scheme});
    const page = await openAll();
    await accessible(page);
    await page.evaluate(() => scrollTo(0, 0));
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.closest('nav') !== null), true);
    if (process.env.BITLAW_SCREENSHOTS)
      await page.screenshot({path: join(process.env.BITLAW_SCREENSHOTS, `report-${scheme}.png`), fullPage: true});
    assert.deepEqual(seen.faults, []);
  });
}

test('on a narrow screen nothing but tables scrolls sideways', async () => {
  await seen.page.setViewportSize({width: 400, height: 800});
  const page = await openAll();
  await fitsItsWidth(page);
  if (process.env.BITLAW_SCREENSHOTS)
    await page.screenshot({path: join(process.env.BITLAW_SCREENSHOTS, 'report-narrow.png'), fullPage: true});
});

test('on paper every figure is drawn, black on white, without buttons', async () => {
  await seen.page.emulateMedia({colorScheme: 'dark'});
  const page = await open();
  await page.emulateMedia({media: 'print', colorScheme: 'dark'});
  const wanted = said.drawings.filter(drawing => drawing.panels.length > 0).length;
  await page.waitForFunction(
    count =>
      [...document.querySelectorAll('figure.drawing')].filter(each => each.querySelector('svg[role=img]')).length ===
      count,
    wanted,
  );
  assert.equal(
    await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--figure-paper')),
    '#ffffff',
  );
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  assert.equal(await page.locator('.figure-tools').first().isVisible(), false);
  const paper = await page.pdf();
  assert.ok(paper.length > 50_000, `${paper.length} bytes`);
  if (process.env.BITLAW_SCREENSHOTS) writeFileSync(join(process.env.BITLAW_SCREENSHOTS, 'report.pdf'), paper);
});

// Said, not judged: the machine may be busy.
test('two thousand runs', async context => {
  run(
    'simulate',
    '--law',
    'kumar',
    '--params',
    '1e7,2e7,3e7,5e7,8e7,1.2e8,2e8,3e8,5e8,8e8',
    '--replicates',
    '2',
    '--seed',
    '2',
    '--out',
    file('large.csv'),
  );
  run('fit', file('large.csv'), '--draws', '0', '--starts', '4', '--out', file('large.json'));
  run('report', file('large.csv'), '--fit', file('large.json'), '--out', file('large.html'));
  const page = await open('large.html');
  const {ready, shown} = await page.evaluate(
    () =>
      new Promise(done => {
        const ready = performance.now();
        requestAnimationFrame(() =>
          requestAnimationFrame(() => done({ready, shown: document.querySelectorAll('svg[role=img]').length})),
        );
      }),
  );
  const loaded = await page.evaluate(() => performance.getEntriesByType('navigation')[0].domComplete);
  context.diagnostic(
    `${await page.textContent('#filter-says')} ${readFileSync(file('large.html')).length} bytes, complete after ${loaded.toFixed(0)} ms, ${shown} panels in view after ${ready.toFixed(0)} ms`,
  );
  assert.deepEqual(seen.faults, []);
});

// Figures in a real browser, of drawings written by hand.
//
//   node --test web/page/browser/draw_test.mjs
import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {before, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {accessible, downloaded, fitsItsWidth, folder, seen} from './harness.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), '..', 'src');
const file = join(folder, 'figures.html');

before(async () => {
  const made = await build({
    stdin: {
      contents: `
      import {Figure, drawAll} from './draw.ts';
      window.runs = [];
      window.show = drawing => {
        const figure = new Figure({onRun: run => window.runs.push(run)});
        document.querySelector('main').append(figure.element);
        figure.show(drawing);
        return figure;
      };
      window.drawAll = drawAll;`,
      resolveDir: source,
      loader: 'ts',
    },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
    loader: {'.css': 'text'},
  });
  writeFileSync(
    file,
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>figures</title>' +
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src blob:\">" +
      '<style>:root { color-scheme: light dark } body { font: 16px/1.5 system-ui, sans-serif; background: var(--figure-paper); color: var(--figure-ink) }</style>' +
      `<main><h1>Figures</h1><h2>Group</h2></main><script>${made.outputFiles[0].text.replaceAll('</script', '<\\/script')}</script></html>`,
  );
});

const hostile = '<img src=x onerror="window.broken=1"></script>';
const curve = (from, to, f) =>
  Array.from({length: 40}, (_, i) => from * (to / from) ** (i / 39)).map(x => ({x, y: f(x)}));
const loss = bits => x => 3 + 2 / x ** 0.3 + 3 * Math.exp(-bits) * x ** 0.2;

const lines = {
  id: 'loss by tokens',
  group: 'After training',
  title: 'Loss after quantization against tokens per parameter',
  says: 'At 3 bits the loss rises with the tokens; at 6 bits it does not.',
  x: {label: 'tokens per parameter, D/N', log: true},
  y: {label: 'loss, nats per token'},
  panels: [1e6, 4e6, 16e6].map(N => ({
    title: `N = ${N / 1e6} M`,
    series: [3, 4, 6, 16].map(bits => ({
      name: bits === 16 ? 'BF16' : `${bits} bits`,
      bits,
      points: [5, 20, 80, 320].map((x, i) => ({
        x,
        y: loss(bits)(x) * (1 + 0.003 * Math.sin(i + bits)),
        low: loss(bits)(x) * 0.992,
        high: loss(bits)(x) * 1.008,
        run: `run ${N} ${bits} ${i}`,
        about: {N, D: N * x, seed: i},
        ...(bits === 3 && i === 3 ? {flagged: 'it did worse than round to nearest'} : {}),
      })),
      curve: curve(4, 400, x => loss(bits)(x)).map(place => ({
        ...place,
        mean: [place.y * 0.996, place.y * 1.004],
        run: [place.y * 0.985, place.y * 1.015],
      })),
    })),
  })),
};
const scatter = {
  id: 'predicted',
  group: 'Fit',
  title: 'Predicted against measured',
  says: 'The law explains 99 % of the variance.',
  x: {label: 'predicted, nats'},
  y: {label: 'measured, nats'},
  equal: true,
  panels: [
    {
      series: ['BF16', 'weights', hostile].map((name, k) => ({
        name,
        points: Array.from({length: 30}, (_, i) => ({x: 3 + i / 30, y: 3 + i / 30 + 0.02 * Math.sin(7 * i + k)})),
      })),
      lines: [{diagonal: true}],
    },
  ],
};
const heat = {
  id: 'heat',
  group: 'After training',
  title: 'What quantization costs, by bits in training and after',
  says: 'More bits in training make fewer after cost more.',
  x: {label: 'bits in training', ticks: [3, 4, 6, 8, 16]},
  y: {label: 'bits after', ticks: [3, 4, 5, 6]},
  value: {label: 'loss difference, nats', log: true},
  panels: ['measured', 'predicted'].map(title => ({
    title,
    cells: [3, 4, 6, 8, 16].flatMap(x =>
      [3, 4, 5, 6].map(y => ({
        x,
        y,
        value: 0.4 * Math.exp(-1.7 * (y - 3)) * (1 - Math.exp(-0.6 * x)),
        about: {runs: 3},
      })),
    ),
  })),
};
const dashed = {
  id: 'effective',
  group: 'Bits',
  title: 'Effective parameters against bits',
  says: 'Ours lie below the published curves.',
  x: {label: 'bits', ticks: [2, 4, 6, 8, 10, 12]},
  y: {label: 'N_eff / N'},
  panels: [
    {
      title: 'weights',
      series: [
        {name: 'fitted', curve: curve(2, 12, x => 1 - Math.exp(-x / 2.5))},
        {name: 'published', dashed: true, curve: curve(2, 12, x => 1 - Math.exp(-x / 2.7 + 0.3))},
        {name: 'measured', points: [3, 4, 6, 8].map(x => ({x, y: 1 - Math.exp(-x / 2.5) + 0.01}))},
      ],
      lines: [
        {y: 1, label: 'all of them'},
        {x: 7.5, label: 'published best'},
      ],
    },
  ],
};
const nothing = {
  id: 'none',
  group: 'Bits',
  title: 'Learning curves',
  says: 'No run has a learning curve, so there is nothing to draw.',
  x: {label: 'x'},
  y: {label: 'y'},
  panels: [],
};
const noise = {
  id: 'noise',
  group: 'Bits',
  title: 'Differences',
  says: 'All are noise.',
  x: {label: 'tokens', log: true},
  y: {label: 'delta, nats', log: true},
  panels: [
    {
      series: [
        {
          name: '8 bits',
          points: [
            {x: 1e6, y: 0.01, low: -0.01, high: 0.03},
            {x: 1e7, y: -0.002},
            {x: 1e8, y: 0.02},
          ],
          curve: [
            {x: 1e6, y: 1e-9},
            {x: 1e8, y: 5},
          ],
        },
      ],
    },
  ],
};

async function open(...drawings) {
  await seen.page.goto(`file://${file}`);
  await seen.page.evaluate(list => list.forEach(each => window.show(each)), drawings);
  await seen.page.waitForFunction(
    count => document.querySelectorAll('figure.drawing svg[role=img]').length >= count,
    drawings[0].panels.length ? 1 : 0,
  );
  await seen.page.evaluate(() => window.drawAll());
  return seen.page;
}

test('a figure has its panels, its sentence, a label for screen readers, and its data as a table', async () => {
  const page = await open(lines);
  const panels = page.locator('svg[role=img]');
  assert.equal(await panels.count(), 3);
  assert.match(await panels.nth(1).getAttribute('aria-label'), /N = 4 M\. At 3 bits the loss rises/);
  assert.equal(await page.textContent('figcaption'), lines.says);
  // 4 series with 4 points each in a panel, one of them hollow, and a curve with two bands and a bar at each point.
  assert.equal(await panels.first().evaluate(svg => svg.querySelectorAll('.figure-point path').length), 16);
  await page.click('summary');
  await page.waitForSelector('.figure-data tbody tr');
  const cells = await page.$$eval('.figure-data tbody tr:first-child td', found => found.map(cell => cell.textContent));
  assert.deepEqual(cells.slice(0, 4), ['N = 1 M', '3 bits', 'point', '5']);
  assert.equal(await page.locator('.figure-data tbody tr').count(), 500); // the first of 528
  assert.deepEqual(seen.faults, []);
});

test('a legend entry switches its series off and on in all panels', async () => {
  const page = await open(lines);
  const count = () => page.$$eval('.figure-point path', found => found.length);
  const all = await count(),
    button = page.getByRole('button', {name: '4 bits'});
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  await button.press('Enter');
  assert.equal(await button.getAttribute('aria-pressed'), 'false');
  assert.equal(await count(), all - 12);
  await button.click();
  assert.equal(await count(), all);
  // Nothing is left to frame: a sentence, not an empty or broken panel.
  for (const name of ['3 bits', '4 bits', '6 bits', 'BF16'])
    await page.getByRole('button', {name, exact: true}).click();
  assert.match(await page.textContent('.figure-panels'), /switched off/);
  assert.deepEqual(seen.faults, []);
});

test('axes are linear or logarithmic where all values are positive', async () => {
  const page = await open(lines);
  const ticks = () => page.$$eval('svg[role=img] text', found => found.map(each => each.textContent));
  const log = await ticks();
  await page.getByRole('group', {name: 'x axis'}).getByText('linear').click();
  assert.notDeepEqual(await ticks(), log);
  await page.getByRole('group', {name: 'x axis'}).getByText('log').click();
  assert.deepEqual(await ticks(), log);
  const other = await open({...noise, y: {label: 'delta, nats'}});
  assert.equal(await other.getByRole('group', {name: 'y axis'}).count(), 0);
  assert.equal(await other.getByRole('group', {name: 'x axis'}).count(), 1);
});

test('what cannot be shown is said: points below zero on a log axis, curves beyond the frame', async () => {
  const page = await open(noise);
  const note = page.locator('.figure-key[role=status]');
  assert.match(
    await note.textContent(),
    /^1 point at or below zero cannot stand on a logarithmic axis\. Curves or bars leave the frame/,
  );
  await page.getByRole('button', {name: 'Show all of them'}).click();
  assert.doesNotMatch(await note.textContent(), /leave the frame/);
  assert.deepEqual(seen.faults, []);
});

test('hover and arrow keys say the point, and Enter or a click gives its run', async () => {
  const page = await open(lines);
  const tip = page.locator('.figure-tip');
  await page.focus('.figure-panel');
  await page.keyboard.press('ArrowRight');
  const words = await tip.innerText();
  for (const part of [
    '3 bits',
    'tokens per parameter, D/N: 5',
    'interval: ',
    'N: 1 M',
    'seed: 0',
    'run: run 1000000 3 0',
  ])
    assert.ok(words.includes(part), `${part} in ${words}`);
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  assert.match(await tip.innerText(), /^4 bits/);
  await page.keyboard.press('Escape');
  assert.equal(await tip.isVisible(), false);
  const place = await page.locator('.figure-point path').nth(5).boundingBox();
  await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
  const said = await tip.innerText();
  await page.mouse.down();
  await page.mouse.up();
  const runs = await page.evaluate(() => window.runs);
  assert.equal(runs[0], 'run 1000000 3 0');
  assert.ok(said.includes(`run: ${runs[1]}`), said);
});

test('the downloaded SVG stands alone and has what is shown, legible on white', async () => {
  await seen.page.emulateMedia({colorScheme: 'dark'});
  const page = await open(lines);
  await page.getByRole('button', {name: '4 bits'}).click();
  const {name, text} = await downloaded(page, () => page.getByRole('button', {name: /as SVG/}).click());
  assert.equal(name, 'loss-by-tokens.svg');
  assert.doesNotMatch(text, /var\(|currentColor|<style|href|@import|url\((?!#)/);
  for (const part of [
    lines.title,
    'N = 4 M',
    '6 bits',
    'At 3 bits the loss rises',
    'loss, nats per token',
    'fill="#ffffff"',
  ])
    assert.ok(text.includes(part), part);
  assert.ok(!text.includes('4 bits'));
  // It is well-formed, and drawn again by itself it has colours.
  const seenColours = await page.evaluate(async svg => {
    if (new DOMParser().parseFromString(svg, 'image/svg+xml').querySelector('parsererror')) return 0;
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([svg], {type: 'image/svg+xml'}));
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), {
      width: image.naturalWidth,
      height: image.naturalHeight,
    });
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data,
      found = new Set();
    for (let i = 0; i < pixels.length; i += 4)
      if (Math.max(...pixels.slice(i, i + 3)) - Math.min(...pixels.slice(i, i + 3)) > 80)
        found.add(pixels.slice(i, i + 3).join());
    return found.size;
  }, text);
  assert.ok(seenColours > 20, `${seenColours} colours`);
  assert.deepEqual(seen.faults, []);
});

test('the PNG has twice the size, and the CSV no formula', async () => {
  const page = await open({
    ...scatter,
    panels: [
      {
        ...scatter.panels[0],
        series: [
          {
            name: '=HYPERLINK("x")',
            points: [
              {x: 1, y: -2, run: '@run'},
              {x: 2, y: 3},
            ],
          },
        ],
      },
    ],
  });
  const png = await downloaded(page, () => page.getByRole('button', {name: /as PNG/}).click());
  const bytes = readFileSync(png.path);
  assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
  assert.equal(bytes.readUInt32BE(16), 2 * 800);
  const csv = await downloaded(page, () => page.getByRole('button', {name: /as CSV/}).click());
  assert.equal(
    csv.text,
    'series,what,"predicted, nats","measured, nats",run\r\n' +
      '"\'=HYPERLINK(""x"")",point,1,-2,\'@run\r\n"\'=HYPERLINK(""x"")",point,2,3,\r\n,diagonal,,,\r\n',
  );
  assert.deepEqual(seen.faults, []);
});

test('cells have colours, a scale and their numbers', async () => {
  const page = await open(heat);
  const fills = await page.$$eval('svg[role=img] rect[fill]', found => [
    ...new Set(found.map(each => each.getAttribute('fill'))),
  ]);
  assert.ok(fills.length > 15, `${fills.length}`);
  assert.equal(await page.locator('.figure-cells svg').count(), 1);
  const place = await page.locator('svg[role=img] rect[fill]').nth(3).boundingBox();
  await page.mouse.move(place.x + place.width / 2, place.y + 5);
  assert.match(
    await page.innerText('.figure-tip'),
    /^loss difference, nats: [\d.e-]+\nbits in training: \d+\nbits after: \d+\nruns: 3$/,
  );
});

test('a figure without panels is its sentence', async () => {
  const page = await open(nothing, lines);
  assert.equal(await page.textContent('figcaption >> nth=0'), nothing.says);
  assert.equal(await page.locator('figure >> nth=0').locator('svg, button').count(), 0);
});

test('many panels begin with the first, and a thousand points take no seconds', async context => {
  const many = {...lines, panels: Array.from({length: 40}, (_, i) => ({...lines.panels[0], title: `N = ${i}`}))};
  const page = await open(many);
  assert.equal(await page.locator('svg[role=img]').count(), 12);
  await page.getByRole('button', {name: 'Show all 40'}).click();
  assert.equal(await page.locator('svg[role=img]').count(), 40);
  const points = Array.from({length: 2000}, (_, i) => ({x: 1 + i, y: 3 + Math.sin(i), run: `r${i}`}));
  const took = await page.evaluate(
    drawing => {
      const start = performance.now();
      window.show(drawing).draw();
      return performance.now() - start;
    },
    {...scatter, panels: [{series: [{name: 'runs', points}]}]},
  );
  context.diagnostic(`a panel of 2,000 points: ${took.toFixed(0)} ms`);
});

test('names are only ever text', async () => {
  const page = await open({
    ...scatter,
    title: hostile,
    says: hostile,
    x: {label: hostile},
    panels: [{...scatter.panels[0], title: hostile}],
  });
  await page.click('summary');
  await downloaded(page, () => page.getByRole('button', {name: /as SVG/}).click());
  assert.equal(await page.locator('main img').count(), 0);
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.deepEqual(seen.faults, []);
});

for (const scheme of ['light', 'dark']) {
  test(`figures are accessible and fit narrow screens, in ${scheme} colours`, async () => {
    await seen.page.emulateMedia({colorScheme: scheme});
    const page = await open(lines, scatter, heat, dashed, nothing, noise);
    await accessible(page);
    if (process.env.BITLAW_SCREENSHOTS)
      await page.screenshot({path: join(process.env.BITLAW_SCREENSHOTS, `draw-${scheme}.png`), fullPage: true});
    await page.setViewportSize({width: 400, height: 800});
    await page.waitForFunction(() => document.querySelector('svg[role=img]').clientWidth < 400);
    await fitsItsWidth(page);
    if (process.env.BITLAW_SCREENSHOTS)
      await page.screenshot({path: join(process.env.BITLAW_SCREENSHOTS, `draw-${scheme}-narrow.png`), fullPage: true});
    assert.deepEqual(seen.faults, []);
  });
}

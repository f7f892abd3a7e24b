// Figures of the documentation, from what the program computes (tools/export_figures).
//
//   BITLAW=program node export.mjs [--check]
import {build} from 'esbuild';
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const docs = '../../docs';
const {sources, figures} = JSON.parse(readFileSync(`${docs}/figures.json`, 'utf8'));
const program = process.env.BITLAW;

/** The document of a source's last command, a report. */
function documentOf(source) {
  const folder = mkdtempSync(join(tmpdir(), 'bitlaw-figures-'));
  try {
    const run = words => execFileSync(program, words, {cwd: folder, encoding: 'utf8', maxBuffer: 1 << 29,
                                                       stdio: ['ignore', 'pipe', 'ignore']});
    const commands = source.commands.map(line => line.split(' ').slice(1));
    commands.slice(0, -1).forEach(run);
    return JSON.parse(run([...commands.at(-1), '--json']));
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function drawings() {
  const documents = Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, documentOf(source)]));
  return figures.map(({source, drawing: id}) => {
    const found = documents[source].drawings.find(each => each.id === id);
    if (!found) throw new Error(`docs/figures.json: the report of ${source} has no figure ${id}`);
    return {source, drawing: found};
  });
}

/** What a figure rests on, in few numbers: of each list of a panel how many values, and their means. */
function stampOf({drawing}) {
  const mean = values => {
    const known = values.filter(value => typeof value === 'number');
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const of = list => ({count: list.length, x: mean(list.map(each => each.x)), y: mean(list.map(each => each.y)),
                       ends: mean(list.flatMap(each => [each.low, each.high, ...(each.mean ?? []), ...(each.run ?? [])]))});
  return {
    title: drawing.title, says: drawing.says, axes: [drawing.x.label, drawing.y.label],
    panels: drawing.panels.map(panel => ({
      title: panel.title ?? '', lines: (panel.lines ?? []).length,
      series: (panel.series ?? []).map(series => ({name: series.name, points: of(series.points ?? []), curve: of(series.curve ?? [])})),
    })),
  };
}

/** Where two stamps differ; numbers agree to a millionth, those of a sentence to a unit of their last digit. */
function difference(a, b, where) {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b)) ? '' : `${where}: ${a}, ${b}`;
  if (typeof a === 'string' && typeof b === 'string') {
    const split = text => text.split(/(\d+(?:\.\d+)?)/);
    const [left, right] = [split(a), split(b)];
    const same = left.length === right.length && left.every((part, i) => part === right[i] ||
        (i % 2 === 1 && Math.abs(part - right[i]) <= 1.01 * 10 ** -(part.split('.')[1] ?? '').length));
    return same ? '' : `${where}: "${a}", "${b}"`;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b ? '' : `${where}: ${a}, ${b}`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], `${where} ${key}`);
    if (found) return found;
  }
  return '';
}

const nameOf = ({source, drawing}) => `${source}-${drawing.id}`;

function gallery(made) {
  const parts = Object.entries(sources).map(([name, {says, commands}]) => [
    `${says}\n\n${commands.map(line => `    ${line}`).join('\n')}\n`,
    ...made.filter(each => each.source === name).map(each =>
        `## ${each.drawing.title}\n\n![${each.drawing.title}](figures/${nameOf(each)}.svg)\n\n${each.drawing.says}\n`),
  ].join('\n'));
  return '# Gallery\n\nFigures of `bitlaw report`, as it draws and downloads them; each sentence is computed, too. ' +
         '`tools/export_figures`\nmakes this page, and the tests hold it to what the program computes.\n\n' + parts.join('\n');
}

async function draw(made) {
  const {chromium} = await import('playwright-core');
  const script = await build({stdin: {contents: `
      import {drawingFrom} from './draw/read.ts';
      import {svgOf} from './draw/export.ts';
      import {looksOf} from './draw/looks.ts';
      import {startOf} from './draw/panel.ts';
      window.draw = json => {
        const drawing = drawingFrom(json);
        return svgOf(drawing, looksOf(drawing), startOf(drawing));
      };`, resolveDir: 'src', loader: 'ts'},
    bundle: true, format: 'iife', target: 'es2022', write: false});
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox']});
  try {
    const page = await browser.newPage();
    await page.addScriptTag({content: script.outputFiles[0].text});
    mkdirSync(`${docs}/figures`, {recursive: true});
    for (const each of made) {
      const svg = await page.evaluate(json => window.draw(json), each.drawing);
      writeFileSync(`${docs}/figures/${nameOf(each)}.svg`, svg);
      console.log(`docs/figures/${nameOf(each)}.svg: ${svg.length} bytes`);
    }
  } finally {
    await browser.close();
  }
  writeFileSync(`${docs}/figures/stamps.json`, JSON.stringify(Object.fromEntries(made.map(each => [nameOf(each), stampOf(each)])), null, 1) + '\n');
  writeFileSync(`${docs}/gallery.md`, gallery(made));
}

function check(made) {
  const known = JSON.parse(readFileSync(`${docs}/figures/stamps.json`, 'utf8'));
  const stale = made.map(each => difference(known[nameOf(each)] ?? null, stampOf(each), nameOf(each))).filter(each => each !== '');
  const page = difference(readFileSync(`${docs}/gallery.md`, 'utf8'), gallery(made), 'docs/gallery.md');
  if (page) stale.push(page.slice(0, 200));
  for (const each of stale) console.log(`stale: ${each}`);
  if (stale.length > 0) throw new Error('figures of the documentation are not what the program computes: run tools/export_figures');
  console.log(`${made.length} figures are those of this program`);
}

try {
  const made = drawings();
  if (process.argv[2] === '--check') check(made);
  else await draw(made);
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}

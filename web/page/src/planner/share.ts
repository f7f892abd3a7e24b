// The link, and a picture of question, answer and figure to share, made in the page.
import {element, find} from '../dom.ts';
import {pngOf, save, svgOf, wrapped} from '../draw/export.ts';
import {looksOf} from '../draw/looks.ts';
import type {Drawing} from '../drawing.ts';

export interface Picture {
  question: string;
  numbers: [name: string, value: string][];
  answer: string;
  figure: Drawing | undefined;
}

const kWidth = 1200, kHeight = 675;  // 16:9, as a slide
const kFont = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';

function svgNode(tag: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const out = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, String(value));
  if (text) out.textContent = text;
  return out;
}

export function pictureOf({question, numbers, answer, figure}: Picture): string {
  const root = svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width: kWidth, height: kHeight, viewBox: `0 0 ${kWidth} ${kHeight}`, 'font-family': kFont});
  root.append(svgNode('title', {}, question), svgNode('desc', {}, answer), svgNode('rect', {width: kWidth, height: kHeight, fill: '#ffffff'}));
  const text = (words: string, x: number, y: number, size: number, more: Record<string, string | number> = {}): void => {
    root.append(svgNode('text', {x, y, 'font-size': size, fill: '#1c2430', ...more}, words));
  };
  const kLeft = 48, kColumn = figure ? 440 : kWidth - 2 * kLeft;
  let y = 80;
  for (const line of wrapped(question, Math.floor(kColumn / 14.5)).slice(0, 4)) {
    text(line, kLeft, y, 27, {'font-weight': 600});
    y += 35;
  }
  y += 24;
  for (const [name, value] of numbers) {
    text(name, kLeft, y, 15, {fill: '#5a6472'});
    text(value, kLeft, y + 31, 29, {'font-weight': 600});
    y += 66;
  }
  for (const line of wrapped(answer, Math.floor(kColumn / 8.1)).slice(0, 6)) {
    text(line, kLeft, y, 15, {fill: '#5a6472'});
    y += 22;
  }
  if (figure) {
    const made = new DOMParser().parseFromString(
        svgOf(figure, looksOf(figure), {hidden: new Set(), logX: figure.x.log ?? false, logY: figure.y.log ?? false, whole: figure.whole ?? false, own: false}),
        'image/svg+xml').documentElement;
    for (const [name, value] of Object.entries({x: kLeft + kColumn + 24, y: 40, width: kWidth - kColumn - 2 * kLeft + 24 - 24, height: kHeight - 90, preserveAspectRatio: 'xMidYMid meet'}))
      made.setAttribute(name, String(value));
    root.append(document.importNode(made, true));
  }
  text('bitlaw: scaling laws for precision', kLeft, kHeight - 28, 14, {fill: '#5a6472'});
  return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(root) + '\n';
}

/** The buttons; `picture` and `link` are asked when one is pressed. */
export function startSharing(picture: () => Picture | undefined, ownFit: () => string | undefined): void {
  const says = find('#share-says');
  const press = (id: string, act: () => Promise<string>): void => {
    find(id).addEventListener('click', () => {
      act().then(said => (says.textContent = said), (error: unknown) => (says.textContent = `That did not work: ${String(error)}.`));
    });
  };
  press('#copy-link', async () => {
    const own = ownFit();
    const lacks = own ? ` It carries what is typed, not the fit of ${own}: who opens it sees published constants until they have that file, too.` : '';
    try {
      await navigator.clipboard.writeText(location.href);
      return `The link is copied.${lacks}`;
    } catch {
      document.querySelector('#link')?.remove();
      const link = element('input', {id: 'link', readonly: '', value: location.href, 'aria-label': 'The link'});
      says.after(link);
      link.select();
      return `Copy the link from here.${lacks}`;
    }
  });
  const drawn = (): string => {
    const made = picture();
    if (!made) throw new Error('there is no answer to draw');
    return pictureOf(made);
  };
  press('#picture-svg', async () => {
    save('bitlaw-plan.svg', new Blob([drawn()], {type: 'image/svg+xml'}));
    return 'The picture is saved as bitlaw-plan.svg.';
  });
  press('#picture-png', async () => {
    save('bitlaw-plan.png', await pngOf(drawn()));
    return 'The picture is saved as bitlaw-plan.png.';
  });
}

// Starts the report: reads the document that the page carries, and says what is wrong with it.
import {find} from '../dom.ts';
import {Document} from './document.ts';
import {showReport} from './page.ts';

function main(): void {
  const place = find<HTMLElement>('main');
  let report: Document;
  try {
    report = Document.from(find('#document').textContent ?? '');
  } catch (error) {
    find('#status').textContent =
      `The data of this report cannot be read (${String(error)}); write it again with bitlaw report.`;
    return;
  }
  try {
    showReport(report, place);
  } catch (error) {
    find('#status').textContent =
      `This report cannot be shown (${String(error)}); its data are what bitlaw report --json prints.`;
    return;
  }
  find('#status').remove();
  place.setAttribute('data-ready', 'true');
}

main();

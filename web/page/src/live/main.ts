// Starts the live page.
import {find} from '../dom.ts';
import {LivePage} from './page.ts';

try {
  new LivePage().start();
} catch (error) {
  find('#status').textContent = `This page does not run in this browser: ${String(error)}. Chrome 95, Firefox 100, Safari 16 or newer runs it.`;
}

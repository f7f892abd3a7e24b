// Starts the planner: unpacks the engine that the page carries, and says what a browser lacks.
import {find} from '../dom.ts';
import {Engine} from '../engine.ts';
import {startPlanner} from './planner.ts';

function carried(place: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(find(place).textContent ?? ''), letter => letter.charCodeAt(0));
}

async function main(): Promise<void> {
  if (typeof WebAssembly === 'undefined') throw new Error('it lacks WebAssembly');
  const address = URL.createObjectURL(new Blob([carried('#worker')], {type: 'text/javascript'}));
  const module = carried('#engine').buffer;
  const engine = (): Engine => new Engine(() => new Worker(address), module);
  // A fit runs beside the questions of plans.
  await startPlanner(engine(), engine());
  find('main').setAttribute('data-ready', 'true');
}

// On a static host (bitlaw planner --out site/) the page stays usable without a network.
if (document.querySelector('link[rel=manifest]') && 'serviceWorker' in navigator)
  navigator.serviceWorker.register('service-worker.js').catch(() => {});  // the page itself works without

main().catch((error: unknown) => {
  find('#status').textContent =
      `This page does not run in this browser: ${String(error)}. Chrome 95, Firefox 100, Safari 16.4 or newer runs it.`;
});

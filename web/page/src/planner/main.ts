// Starts the planner: unpacks the engine that the page carries, and says what a browser lacks.
import {find} from '../dom.ts';
import {Engine} from '../engine.ts';
import {startPlanner} from './planner.ts';

async function unpacked(place: string): Promise<ArrayBuffer> {
  const packed = Uint8Array.from(atob(find(place).textContent ?? ''), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

async function main(): Promise<void> {
  if (typeof DecompressionStream === 'undefined' || typeof WebAssembly === 'undefined')
    throw new Error('it lacks WebAssembly or DecompressionStream');
  const [module, worker] = await Promise.all([unpacked('#engine'), unpacked('#worker')]);
  const address = URL.createObjectURL(new Blob([worker], {type: 'text/javascript'}));
  await startPlanner(new Engine(new Worker(address), module));
  find('main').setAttribute('data-ready', 'true');
}

main().catch((error: unknown) => {
  find('#status').textContent =
      `This page does not run in this browser: ${String(error)}. Chrome 95, Firefox 113, Safari 16.4 or newer runs it.`;
});

// Runs the module beside the page, so that a long fit freezes nothing.
import {Decoder} from 'lzma1/decoder';
import {InputBuffer, OutputBuffer} from 'lzma1/streams';
import {Module, type Json, type Question} from './module.ts';

/** start: the module, packed by LZMA: a third smaller than by gzip, which browsers know. */
type Request = {start: ArrayBuffer} | {id: number; question: Question};

let module: Promise<Module> | undefined;

async function unpacked(packed: ArrayBuffer): Promise<Module> {
  const out = new OutputBuffer(4 * packed.byteLength);
  new Decoder().decompress(new InputBuffer(new Uint8Array(packed)), out);
  return Module.from(out.toArray());
}

self.addEventListener('message', async (event: MessageEvent<Request>) => {
  const request = event.data;
  if ('start' in request) {
    module = unpacked(request.start);
    module.catch(() => {});  // said with the first answer
    return;
  }
  let answer: Json;
  try {
    if (!module) throw new Error('the engine was not started');
    answer = (await module).ask(request.question);
  } catch (error) {
    answer = {error: `the engine does not start in this browser: ${String(error)}`};
  }
  self.postMessage({id: request.id, answer});
});

// Runs the module beside the page, so that a long fit freezes nothing.
import {Module, type Json, type Question} from './module.ts';

type Request = {start: ArrayBuffer} | {id: number; question: Question};

let module: Promise<Module> | undefined;

self.addEventListener('message', async (event: MessageEvent<Request>) => {
  const request = event.data;
  if ('start' in request) {
    module = Module.from(request.start);
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

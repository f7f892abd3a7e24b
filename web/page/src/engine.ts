// The engine as the page sees it: questions go to a worker, answers come back in order.
import type {Json, Question} from './module.ts';

export interface Failure {
  error: string;
}

export function failed(answer: unknown): answer is Failure {
  return typeof answer === 'object' && answer !== null && typeof (answer as Failure).error === 'string';
}

export class Engine {
  private readonly waiting = new Map<number, (answer: Json) => void>();
  private next = 0;

  constructor(private readonly worker: Worker, module: ArrayBuffer) {
    worker.addEventListener('message', (event: MessageEvent<{id: number; answer: Json}>) => {
      this.waiting.get(event.data.id)?.(event.data.answer);
      this.waiting.delete(event.data.id);
    });
    worker.addEventListener('error', event => {
      for (const answer of this.waiting.values())
        answer({error: `the engine failed: ${event.message}; reload the page`});
      this.waiting.clear();
    });
    worker.postMessage({start: module}, [module]);
  }

  ask(question: Question): Promise<Json> {
    const id = this.next++;
    return new Promise(resolve => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({id, question});
    });
  }
}

/** Of many questions in a row, only the last matters: while one is answered, the newest waits. */
export class Latest<T> {
  private running = false;
  private newest: (() => Promise<T>) | undefined;

  constructor(private readonly done: (value: T) => void) {}

  run(ask: () => Promise<T>): void {
    this.newest = ask;
    if (!this.running) void this.loop();
  }

  private async loop(): Promise<void> {
    this.running = true;
    while (this.newest) {
      const ask = this.newest;
      this.newest = undefined;
      const value = await ask();
      if (!this.newest) this.done(value);
    }
    this.running = false;
  }
}

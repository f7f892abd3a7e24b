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
  private worker: Worker | undefined;
  private next = 0;

  /** The worker starts with the first question. */
  constructor(private readonly start: () => Worker, private readonly module: ArrayBuffer) {}

  get busy(): boolean {
    return this.waiting.size > 0;
  }

  ask(question: Question): Promise<Json> {
    this.worker ??= this.started();
    const id = this.next++;
    return new Promise(resolve => {
      this.waiting.set(id, resolve);
      this.worker!.postMessage({id, question});
    });
  }

  /** Ends what is being answered; questions that wait are answered with this sentence. */
  stop(why: string): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.fail(why);
  }

  private started(): Worker {
    const worker = this.start();
    worker.addEventListener('message', (event: MessageEvent<{id: number; answer: Json}>) => {
      this.waiting.get(event.data.id)?.(event.data.answer);
      this.waiting.delete(event.data.id);
    });
    worker.addEventListener('error', event => this.fail(`the engine failed: ${event.message}; reload the page`));
    worker.postMessage({start: this.module});
    return worker;
  }

  private fail(error: string): void {
    for (const answer of this.waiting.values()) answer({error});
    this.waiting.clear();
  }
}

/** Of many questions in a row, only the last matters: while one is answered, the newest waits. */
export class Latest<T> {
  private running = false;
  private newest: (() => Promise<T>) | undefined;

  /** `failed`: of an answer that threw; the next question is answered all the same. */
  constructor(private readonly done: (value: T) => void, private readonly failed: (error: unknown) => void = () => {}) {}

  /** Whether the answer that is being made is no longer the one that matters. */
  get stale(): boolean {
    return this.newest !== undefined;
  }

  run(ask: () => Promise<T>): void {
    this.newest = ask;
    if (!this.running) void this.loop();
  }

  private async loop(): Promise<void> {
    this.running = true;
    while (this.newest) {
      const ask = this.newest;
      this.newest = undefined;
      try {
        const value = await ask();
        if (!this.newest) this.done(value);
      } catch (error) {
        if (!this.newest) this.failed(error);
      }
    }
    this.running = false;
  }
}

// The way to the program that serves this page: events as they come, a snapshot whenever the connection is new.
// Where it is gone, this says so and tries again.
import type {LiveState, Look, Law, Row, Snapshot, Study} from './state.ts';

export interface Listener {
  connected: () => void;
  changed: (rows: readonly Row[]) => void;
  /** Gone, or not to be asked; the sentence says why. */
  lost: (why: string) => void;
}

const kAgain = 3000; // milliseconds

export async function fetched<T>(address: string): Promise<T> {
  const answer = await fetch(address, {cache: 'no-store'});
  const document = (await answer.json()) as T & {error?: string};
  if (!answer.ok) throw new Error(document.error ?? `status ${answer.status}`);
  return document;
}

export class Connection {
  private source: EventSource | undefined;

  constructor(
    private readonly state: LiveState,
    private readonly listener: Listener,
  ) {}

  open(): void {
    this.state.await();
    const source = new EventSource('/api/events');
    this.source = source;
    const data = <T>(event: Event): T => JSON.parse((event as MessageEvent<string>).data) as T;
    source.addEventListener('hello', () => void this.begin(source));
    source.addEventListener('look', event => {
      const rows = this.state.look(data<Look>(event));
      this.listener.changed(rows);
    });
    source.addEventListener('law', event => {
      this.state.law(data<Law>(event));
      this.listener.changed([]);
    });
    source.addEventListener('error', () => {
      this.state.await();
      if (source.readyState === EventSource.CLOSED) void this.refused();
      else this.listener.lost('');
    });
  }

  private async begin(source: EventSource): Promise<void> {
    this.state.await();
    try {
      const runs = await fetched<Snapshot>('/api/runs');
      const {studies} = await fetched<{studies: Study[]}>('/api/studies');
      if (source !== this.source) return;
      this.state.take(runs, studies);
      this.listener.connected();
    } catch {
      source.close();
      this.again('');
    }
  }

  /** The browser gives up where the answer is no stream: too many viewers, or a token that is another one now. */
  private async refused(): Promise<void> {
    let why = '';
    try {
      await fetched<unknown>('/api/studies');
      why = 'it has too many viewers';
    } catch (error) {
      why = error instanceof TypeError ? '' : error instanceof Error ? error.message : '';
    }
    this.again(why);
  }

  private again(why: string): void {
    this.listener.lost(why);
    this.source?.close();
    setTimeout(() => this.open(), kAgain);
  }
}

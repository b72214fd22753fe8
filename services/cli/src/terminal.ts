import type { Writable } from 'node:stream';

/** The world around a verb: its input, its two outputs and the time. */
export interface Terminal {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly out: Output;
  /** A line for people, on stderr. */
  readonly err: (line: string) => void;
  /** Shows where the work is, in place of what was shown before; "" takes it away. */
  readonly status: ((text: string) => void) | undefined;
  readonly now: () => number;
}

const FLUSHED_AT = 1 << 16;

/** stdout in pieces of 64 kB. Once the reader has gone (`| head`) nothing more is written. */
export class Output {
  readonly #stream: Writable;
  #pending = '';
  #closed = false;
  readonly #beside: Writable | undefined;

  /** `beside`: stderr, which holds the work back, too: of a million refusals its reader may be the slower one. */
  constructor(stream: Writable, beside?: Writable) {
    this.#stream = stream;
    this.#beside = beside;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
      this.#closed = true;
    });
  }

  /** False = the reader has gone: the work may end. */
  get open(): boolean {
    return !this.#closed;
  }

  line(text: string): void {
    this.#pending += `${text}\n`;
  }

  /** To be awaited now and then: it holds the work back while the reader is slower. */
  async settle(all = false): Promise<void> {
    if (this.#beside) await drained(this.#beside);
    if (this.#closed || this.#pending === '') return;
    if (!all && this.#pending.length < FLUSHED_AT) return;
    const text = this.#pending;
    this.#pending = '';
    await new Promise<void>((resolve) => this.#stream.write(text, () => resolve()));
  }
}

function drained(stream: Writable): Promise<void> | undefined {
  if (!stream.writableNeedDrain) return undefined;
  return new Promise((resolve) => {
    const events = ['drain', 'error', 'close'];
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}

export function terminal(of: NodeJS.Process): Terminal {
  const { stderr } = of;
  stderr.on('error', () => {}); // Nobody reads it: there is nobody to tell.
  return {
    stdin: of.stdin,
    out: new Output(of.stdout, stderr),
    err: (line) => stderr.write(`${line}\n`),
    status: stderr.isTTY ? (text) => stderr.write(`\r\u001b[K${text}`) : undefined,
    now: () => Date.now(),
  };
}

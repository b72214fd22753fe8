import { statSync } from 'node:fs';
import type { Terminal } from './terminal.ts';
import type { Given } from './verb.ts';

const SHOWN_EVERY_MS = 500;
const TOLD_EVERY_MS = 10_000;
const SILENT_MS = 1_000;

/** What an input is refused for, as `--json` says it on stdout: a line for each object, also for this one. */
export function refusedJson(why: string, source?: string): string {
  return JSON.stringify({ ...(source === undefined ? {} : { source }), refused: why });
}

/** Says on stderr how far the work is: on a terminal in one line, else every ten seconds. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #isJson: boolean;
  readonly #totalBytes: number;
  readonly #startedMs = performance.now();
  #bytes = 0;
  #done = 0;
  #refused = 0;
  #shownMs: number;

  constructor(terminal: Terminal, { files, flags }: Given) {
    this.#terminal = terminal;
    this.#isJson = flags.has('json');
    this.#totalBytes = files.reduce((total, file) => total + sizeOf(file), 0);
    this.#shownMs = this.#startedMs + (terminal.status ? SILENT_MS : TOLD_EVERY_MS);
  }

  read = (bytes: number): void => {
    this.#bytes += bytes;
    const now = performance.now();
    if (now < this.#shownMs) return;
    const { status, err } = this.#terminal;
    this.#shownMs = now + (status ? SHOWN_EVERY_MS : TOLD_EVERY_MS);
    const text = `${this.#counted()}, ${this.#percent()}${megabytes(this.#bytes)}`;
    if (status) status(text);
    else err(text);
  };

  done(): void {
    this.#done++;
  }

  refused(at: string, why: string): void {
    const { status, err, out } = this.#terminal;
    this.#refused++;
    status?.('');
    err(`${at}: ${why}`);
    if (this.#isJson) out.line(refusedJson(why, at));
  }

  /** The last line, where there was more than one input. */
  end(): void {
    const { status, err } = this.#terminal;
    status?.('');
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const long = seconds * 1000 > (status ? SILENT_MS : TOLD_EVERY_MS);
    if (!long && !(this.#refused > 0 && this.#done + this.#refused > 1)) return;
    err(`${this.#counted()}${long ? `, in ${seconds.toFixed(1)} s` : ''}.`);
  }

  get anyRefused(): boolean {
    return this.#refused > 0;
  }

  #counted(): string {
    const refused = this.#refused > 0 ? `, ${this.#refused.toLocaleString('en')} refused` : '';
    return `${this.#done.toLocaleString('en')} done${refused}`;
  }

  #percent(): string {
    if (!(this.#totalBytes > 0)) return '';
    return `${Math.min(100, Math.floor((this.#bytes / this.#totalBytes) * 100))}% of `;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** NaN where nobody knows, so that the sum is not known either. */
function sizeOf(file: string): number {
  try {
    const stat = statSync(file);
    return stat.isFile() ? stat.size : Number.NaN;
  } catch {
    return file === '-' ? Number.NaN : 0;
  }
}

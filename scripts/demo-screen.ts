/** What the demo shows: steps, lines, checks, a progress bar. */

export interface CheckResult {
  readonly check: string;
  readonly holds: boolean;
  readonly detail: string;
}

const BAR_WIDTH = 24;

export class Screen {
  readonly checks: CheckResult[] = [];
  readonly #out: NodeJS.WriteStream;
  readonly #colour: boolean;
  #step = 0;
  #barShown = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#colour = out.isTTY === true && !process.env['NO_COLOR'];
  }

  step(title: string): void {
    this.#step += 1;
    this.line();
    this.line(this.#paint('1', `${this.#step}. ${title}`));
  }

  line(text = ''): void {
    this.#endBar();
    this.#out.write(`${text}\n`);
  }

  lines(text: string, indent = '   '): void {
    for (const line of text.trimEnd().split('\n')) this.line(`${indent}${line}`);
  }

  check(check: string, holds: boolean, detail = ''): void {
    this.checks.push({ check, holds, detail });
    const mark = holds ? this.#paint('32', '✓') : this.#paint('31', '✗');
    this.line(`   ${mark} ${check}${detail && (!holds || detail.length < 60) ? ` (${detail})` : ''}`);
  }

  /** A line that takes the place of the one before on a terminal; in a log, one line each time. */
  progress(share: number, text: string): void {
    const filled = Math.round(Math.max(0, Math.min(1, share)) * BAR_WIDTH);
    const bar = `   [${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${text}`;
    if (this.#out.isTTY) {
      this.#out.write(`\r\u001b[2K${bar}`);
      this.#barShown = true;
    } else {
      this.#out.write(`${bar}\n`);
    }
  }

  /** Two texts beside each other under their titles. */
  beside(left: { title: string; text: string }, right: { title: string; text: string }, width = 58): void {
    const rows = (text: string) => text.trimEnd().split('\n').flatMap((line) => folded(line, width));
    const [a, b] = [
      [left.title, '-'.repeat(left.title.length), ...rows(left.text)],
      [right.title, '-'.repeat(right.title.length), ...rows(right.text)],
    ];
    for (let i = 0; i < Math.max(a.length, b.length); i += 1) this.line(`   ${(a[i] ?? '').padEnd(width)} | ${b[i] ?? ''}`.trimEnd());
  }

  #endBar(): void {
    if (this.#barShown) this.#out.write('\n');
    this.#barShown = false;
  }

  #paint(code: string, text: string): string {
    return this.#colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function folded(line: string, width: number): string[] {
  const parts = [];
  for (let rest = line; ; rest = rest.slice(width)) {
    parts.push(rest.slice(0, width));
    if (rest.length <= width) return parts;
  }
}

/** Lets work on the same key run one at a time, in the order it came; other keys do not wait. */
export class Turns {
  private readonly lines = new Map<string, { tail: Promise<unknown>; length: number }>();

  /** `most`: how many may stand in the line of one key. */
  constructor(private readonly most: number) {}

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const line = this.lines.get(key) ?? { tail: Promise.resolve(), length: 0 };
    if (line.length >= this.most) return Promise.reject(new TooManyWaiting(key, this.most));
    const turn = line.tail.then(work);
    line.length += 1;
    line.tail = turn.catch(() => {}).then(() => {
      line.length -= 1;
      if (line.length === 0) this.lines.delete(key);
    });
    this.lines.set(key, line);
    return turn;
  }
}

export class TooManyWaiting extends Error {
  override readonly name = 'TooManyWaiting';
  constructor(
    readonly key: string,
    readonly most: number,
  ) {
    super(`more than ${most} commands wait for the stream ${key}`);
  }
}

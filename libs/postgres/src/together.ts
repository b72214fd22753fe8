export interface TogetherOptions {
  /** Items of one run; default 512. */
  readonly most?: number;
  /** Runs under way at the same time, for those that may overlap; default 1. */
  readonly atOnce?: number;
}

/**
 * One run for all who wait: who come in one turn of the event loop, or while as many runs are under way as may
 * be, share the next one, in the order in which they came. Each gets its own outcome; an `Error` among them, or a run that fails, rejects.
 * A run begins after all that it is for have come: what it reads is not older than they are.
 */
export function together<Item, Outcome>(
  run: (items: readonly Item[]) => Promise<readonly (Outcome | Error)[]>,
  { most = 512, atOnce = 1 }: TogetherOptions = {},
): (item: Item) => Promise<Outcome> {
  interface Waiting {
    readonly item: Item;
    resolve(outcome: Outcome): void;
    reject(error: unknown): void;
  }
  let waiting: Waiting[] = [];
  let running = 0;
  let starting = false;

  const runAll = async (): Promise<void> => {
    running += 1;
    while (waiting.length > 0) {
      const now = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const outcomes = await run(now.map(({ item }) => item));
        for (const [index, { resolve, reject }] of now.entries()) {
          const outcome = outcomes[index] as Outcome | Error;
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        }
      } catch (error) {
        for (const { reject } of now) reject(error);
      }
    }
    running -= 1;
  };

  return (item) => new Promise((resolve, reject) => {
    waiting.push({ item, resolve, reject });
    if (starting || running >= atOnce) return;
    starting = true;
    setImmediate(() => {
      starting = false;
      void runAll();
    });
  });
}

/**
 * One run for all who wait: whoever comes while a run is under way shares the next one, in the order
 * in which they came. Each gets its own outcome; an `Error` among them, or a run that fails, rejects.
 * A run begins after all that it is for have come: what it reads is not older than they are.
 */
export function together<Item, Outcome>(
  run: (items: readonly Item[]) => Promise<readonly (Outcome | Error)[]>,
  most = 512,
): (item: Item) => Promise<Outcome> {
  interface Waiting {
    readonly item: Item;
    resolve(outcome: Outcome): void;
    reject(error: unknown): void;
  }
  let waiting: Waiting[] = [];
  let running = false;

  const runAll = async (): Promise<void> => {
    running = true;
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
    running = false;
  };

  return (item) => new Promise((resolve, reject) => {
    waiting.push({ item, resolve, reject });
    if (!running) void runAll();
  });
}

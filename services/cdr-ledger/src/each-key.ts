import type { DescMessage } from '@bufbuild/protobuf';
import type { Told } from '#bus';
import { withTraceparent } from '#telemetry';

/**
 * Handles facts that were told in a row at the same time, those of one key one after the other.
 * Ends when all are done; throws what the first one that failed threw.
 */
export async function eachKey<F extends DescMessage>(
  told: readonly Told<F>[],
  handle: (fact: Told<F>['fact']) => Promise<void>,
): Promise<void> {
  const done = new Map<string, Promise<void>>();
  for (const { fact, key, trace } of told) {
    const before = done.get(key) ?? Promise.resolve();
    done.set(key, before.then(() => withTraceparent(trace, () => handle(fact))));
  }
  const outcomes = await Promise.allSettled(done.values());
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

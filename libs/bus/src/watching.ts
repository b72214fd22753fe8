import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Log } from '#telemetry';
import type { TellContract } from './contract.ts';
import { toldSubject } from './subjects.ts';

export interface Watching {
  stop(): void;
}

/**
 * A plain subscription to what relays publish: it neither waits for the stream nor holds a
 * position.
 */
export function watchTold<F extends DescMessage>(
  { connection, platform, log }: { connection: NatsConnection; platform: string; log: Log },
  contract: TellContract<F>,
  fn: (fact: MessageShape<F>) => void,
): Watching {
  const subject = toldSubject(platform, contract);
  const subscription = connection.subscribe(subject, {
    callback: (error, message) => {
      try {
        if (error) throw error;
        const fact = fromBinary(contract.fact, message.data);
        const wrong = contract.check(fact);
        if (wrong !== undefined) throw new TypeError(wrong);
        fn(fact);
      } catch (problem) {
        log.warn('a fact was not seen', { subject, error: problem });
      }
    },
  });
  return { stop: () => subscription.unsubscribe() };
}

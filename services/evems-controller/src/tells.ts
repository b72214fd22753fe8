import { type Fact, told } from '#bus';
import { feederOverload, limitAssigned } from '#contracts/evems-controller';
import { jsonCodec, type StoredEvent } from '#event-store';
import type { LimitEvent } from './limits.ts';

const codec = jsonCodec<LimitEvent>();

/** What of the log the platform hears: limits once the station obeys them, and overloads. */
export function toTold({ type, data }: Pick<StoredEvent, 'type' | 'data'>): Fact | undefined {
  const event = codec.toEvent(type, data);
  const { siteId, at } = event;
  switch (event.type) {
    case 'LimitConfirmed': {
      const { stationId, connectorId, limitMa, reason } = event;
      return told(limitAssigned, { siteId, stationId, connectorId, limitMa, reason, at });
    }
    case 'FeederOverloaded': {
      const { feeder, exposedMa, limitMa } = event;
      return told(feederOverload, { siteId, feeder, exposedMa, limitMa, at });
    }
    default:
      return undefined;
  }
}

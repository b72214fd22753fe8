import { type Fact, told } from '#bus';
import { activeProfileChanged, feederOverload, limitAssigned, profileSettled } from '#contracts/evems-controller';
import { jsonCodec, type StoredEvent } from '#event-store';
import { instant } from '#time';
import type { LimitEvent } from './limits.ts';
import { profileAhead } from './profile-told.ts';

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
    case 'ProfileSettled': {
      const { orderId, sessionId, obeyed } = event;
      return told(profileSettled, { siteId, orderId, sessionId, obeyed, at });
    }
    case 'ActiveProfileChanged': {
      const steps = event.steps.map((step) => ({ ...step, at: instant(step.at) }));
      return told(activeProfileChanged, { siteId, sessionId: event.sessionId, profile: profileAhead(steps, event), at });
    }
    default:
      return undefined;
  }
}

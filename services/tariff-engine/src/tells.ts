import { type Fact, told } from '#bus';
import { tariffPublished, tariffWithdrawn } from '#contracts/tariff-engine';
import { toJsonBytes } from '#contracts';
import type { StoredEvent } from '#event-store';
import { keyOf } from './tariff-key.ts';
import type { TariffEvent } from './tariff.ts';

/** Every turn of a tariff is told as it is. */
export function tells(stored: StoredEvent): Fact | undefined {
  const { party, tariffId } = keyOf(stored.stream);
  const event = { ...(JSON.parse(stored.data) as object), type: stored.type } as TariffEvent;
  switch (event.type) {
    case 'TariffPublished': {
      const { source, version, lastUpdated } = event;
      const own = source !== 'partner';
      return told(tariffPublished, { own, party, tariffId, version, tariffJson: toJsonBytes(event.text), lastUpdated });
    }
    case 'TariffWithdrawn':
      return told(tariffWithdrawn, { own: event.source !== 'partner', party, tariffId, at: event.at });
    case 'TariffKept':
      return undefined;
  }
}

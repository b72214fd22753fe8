import { isOffered, type Granted, offeredOf, offersOf } from '#grants';
import { type Connector, type Evse, instantMs, type Location, type Party } from '#ocpi';
import { rfc3339 } from '#time';

/** An object of ours as a partner with these parties may have it; undefined: not at all. */
export function viewOf(
  { module, objectKey, current }: { readonly module: string; readonly objectKey: string; readonly current: string | undefined },
  parties: readonly Party[],
  granted: Granted,
): string | undefined {
  if (current === undefined || granted.offers.length === 0) return current;
  switch (module) {
    case 'tariffs': return isOffered(objectKey, parties, granted.offers) ? current : undefined;
    case 'locations': return locationView(current, parties, granted);
    default: return current;
  }
}

/**
 * A Location whose Connectors name only tariffs that the partner is offered. Where one names a tariff
 * that is not for all, it is as new as what is granted: else the partner would take the next view of
 * it for an old one.
 */
export function locationView(text: string, parties: readonly Party[], granted: Granted): string {
  const { offers, since } = granted;
  const lower = text.toLowerCase();
  if (!offers.some(({ tariffIds }) => tariffIds.some((id) => lower.includes(JSON.stringify(id.toLowerCase()))))) return text;
  const location = JSON.parse(text) as Location;
  const isPrivate = ({ tariff_ids: ids }: Connector) => (ids ?? []).some((id) => offersOf(id, offers).length > 0);
  const evses = location.evses?.map((evse): Evse => {
    if (!evse.connectors.some(isPrivate)) return evse;
    const connectors = evse.connectors.map((connector) => (isPrivate(connector)
      ? asNewAs(since, { ...connector, tariff_ids: offeredOf(connector.tariff_ids ?? [], parties, offers) })
      : connector));
    return asNewAs(since, { ...evse, connectors });
  });
  const isChanged = evses?.some((evse, n) => evse !== location.evses![n]);
  return isChanged ? JSON.stringify(asNewAs(since, { ...location, evses })) : text;
}

function asNewAs<T extends { last_updated: string }>(since: number, object: T): T {
  return (instantMs(object.last_updated) ?? 0) >= since ? object : { ...object, last_updated: rfc3339(since) };
}

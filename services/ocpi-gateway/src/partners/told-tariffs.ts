import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { getTariff } from '#contracts/tariff-engine';
import type { Connector, Evse, Location, Tariff } from '#ocpi';
import { type Context, down } from '#ocpi-versions';
import { toBus } from './partner.ts';

type Place = Partial<Pick<Location, 'evses'> & Pick<Evse, 'connectors'> & Pick<Connector, 'tariff_ids'>>;

/**
 * A Location of ours, or a part of one, with that of a Connector's tariffs in front which a partner of 2.1.1 is told of now:
 * it has one of them, without a type and without a time.
 */
export async function withToldTariffs(bus: Bus, value: unknown, context: Context): Promise<unknown> {
  const ids = new Set(connectorsIn((value ?? {}) as Place).flatMap(({ tariff_ids: named }) => (named && named.length > 1 ? named : [])));
  if (ids.size === 0) return value;
  const ranks = new Map(await Promise.all([...ids].map(async (id) => [id, await rankOf(bus, id, context)] as const)));
  const inFront = ({ tariff_ids: named, ...connector }: Partial<Connector>) =>
    named ? { ...connector, tariff_ids: named.toSorted((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0)) } : connector;
  const place = value as Place;
  if (place.evses) return { ...place, evses: place.evses.map((evse) => ({ ...evse, connectors: evse.connectors.map(inFront) })) };
  return place.connectors ? { ...place, connectors: place.connectors.map(inFront) } : inFront(place);
}

function connectorsIn({ evses, connectors, tariff_ids }: Place): readonly Partial<Connector>[] {
  if (evses) return evses.flatMap((evse) => evse.connectors ?? []);
  return connectors ?? (tariff_ids ? [{ tariff_ids }] : []);
}

/** As a charge is priced: one for contracts, then one for all; what is not told comes last. */
async function rankOf(bus: Bus, tariffId: string, context: Context): Promise<number> {
  const { tariffJson } = await bus.ask(getTariff, { party: toBus(context.owner), tariffId });
  if (!tariffJson) return 2;
  const tariff = fromJsonBytes<Tariff>(tariffJson);
  if (!down('2.1.1', { kind: 'tariff' }, tariff, context).ok) return 2;
  return tariff.type === 'REGULAR' ? 0 : 1;
}

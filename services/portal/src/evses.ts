import { z } from 'zod';
import { type Bus, isAskFailure } from '#bus';
import { fromJsonBytes } from '#contracts';
import { type FoundEvse, searchEvses as search } from '#contracts/locations';
import { quote, type Quoted } from '#contracts/tariff-engine';
import { type Connector, findEvse, type Location } from '#ocpi';
import type { Clock } from '#time';
import { appToken } from './charges.ts';
import type { Driver } from './entities.ts';

const QuoteView = z.object({
  energy_kwh: z.string(),
  duration_min: z.int(),
  excl_vat: z.string(),
  incl_vat: z.string().optional(),
  currency: z.string(),
});

const PriceView = z.object({
  sentence: z.string(),
  quote: QuoteView,
}).nullable().meta({ id: 'ConnectorPrice', description: 'null where no tariff is known' });

export const EvseView = z.object({
  country_code: z.string(),
  party_id: z.string(),
  location_id: z.string(),
  evse_uid: z.string(),
  evse_id: z.string().optional(),
  status: z.string(),
  name: z.string(),
  address: z.string(),
  city: z.string(),
  distance_m: z.int().optional(),
  operator: z.string(),
  connectors: z.array(z.object({ id: z.string(), standard: z.string(), power_kw: z.string(), price: PriceView })),
}).meta({ id: 'Evse' });
export type EvseView = z.infer<typeof EvseView>;

export interface EvseSearch {
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  readonly radius_m?: number | undefined;
  readonly connector?: string | undefined;
  readonly available: boolean;
  readonly limit: number;
}

/** A quote is for as much as a car usually takes, at the connector's power, from now on. */
const QUOTED_KWH = 20;
const QUOTE_TIMEOUT_MS = 3_000;

export type SearchEvses = (driver: Driver, wanted: EvseSearch) => Promise<EvseView[]>;

/** EVSEs as locations finds them, each connector with its price from tariff-engine. */
export function searchEvses(bus: Bus, clock: Clock): SearchEvses {
  return async (driver, wanted) => {
    const { latitude, longitude, radius_m: radiusM } = wanted;
    const { evses } = await bus.ask(search, {
      ...(latitude === undefined ? {} : { latitude }),
      ...(longitude === undefined ? {} : { longitude }),
      ...(radiusM === undefined ? {} : { radiusM }),
      connectorStandards: wanted.connector === undefined ? [] : [wanted.connector],
      availableOnly: wanted.available,
      limit: wanted.limit,
    });
    const found = evses.map((each) => ({ each, location: fromJsonBytes<Location>(each.locationJson) }));
    const prices = new Prices(bus, clock.iso(), appToken(driver).type);
    const views = found.map(({ each, location }) => viewOf(each, location, prices));
    await prices.ask();
    return views.map((view) => view());
  };
}

/** What the view will be once the prices are there. */
function viewOf(found: FoundEvse, location: Location, prices: Prices): () => EvseView {
  const { countryCode = '', partyId = '' } = found.party ?? {};
  const evse = findEvse(location, found.evseUid);
  const connectors = (evse?.connectors ?? []).map((connector) => {
    const powerW = powerOf(connector);
    return { connector, powerW, price: prices.of({ countryCode, partyId }, location.time_zone, connector) };
  });
  return () => ({
    country_code: countryCode,
    party_id: partyId,
    location_id: found.locationId,
    evse_uid: found.evseUid,
    ...(evse?.evse_id === undefined ? {} : { evse_id: evse.evse_id }),
    status: evse?.status ?? 'UNKNOWN',
    name: location.name ?? '',
    address: location.address,
    city: location.city,
    ...(found.distanceM === undefined ? {} : { distance_m: found.distanceM }),
    operator: location.operator?.name ?? `${countryCode}*${partyId}`,
    connectors: connectors.map(({ connector, powerW, price }) => ({
      id: connector.id, standard: connector.standard, power_kw: String(powerW / 1000), price: price(),
    })),
  });
}

/** W; of AC_3_PHASE the voltage is line to neutral, of two phases line to line (mod_locations). */
export function powerOf({ max_electric_power, max_voltage, max_amperage, power_type }: Connector): number {
  if (max_electric_power !== undefined && max_electric_power > 0) return max_electric_power;
  return max_voltage * max_amperage * (power_type === 'AC_3_PHASE' ? 3 : 1);
}

interface WantedQuote {
  readonly request: Parameters<typeof quoteRequest>;
  answer?: Quoted | undefined;
}

/** The quotes of one search: connectors with the same tariffs and power share one. */
class Prices {
  private readonly wanted = new Map<string, WantedQuote>();

  constructor(private readonly bus: Bus, private readonly at: string, private readonly tokenType: string) {}

  of(party: PartyOf, timeZone: string, connector: Connector): () => z.infer<typeof PriceView> {
    const powerW = powerOf(connector);
    if (!connector.tariff_ids?.length || !(powerW > 0)) return () => null;
    const durationS = Math.ceil((QUOTED_KWH * 3_600_000) / powerW);
    const key = JSON.stringify([party, timeZone, connector.tariff_ids, durationS]);
    const entry = this.wanted.get(key) ?? { request: [party, timeZone, connector.tariff_ids, durationS] };
    this.wanted.set(key, entry);
    return () => (entry.answer ? priceOf(entry.answer, durationS) : null);
  }

  async ask(): Promise<void> {
    const entries = [...this.wanted.values()];
    const { tokenType, at: startAt } = this;
    const requests = entries.map(({ request }) => ({ ...quoteRequest(...request), tokenType, startAt }));
    const answers = await this.bus.askMany(quote, requests, { timeoutMs: QUOTE_TIMEOUT_MS });
    entries.forEach((entry, index) => {
      const answer = answers[index]!;
      entry.answer = isAskFailure(answer) ? undefined : answer;
    });
  }
}

type PartyOf = { readonly countryCode: string; readonly partyId: string };

function quoteRequest(party: PartyOf, timeZone: string, tariffIds: readonly string[], durationS: number) {
  return { party, timeZone, tariffIds: [...tariffIds], durationS, energyKwh: String(QUOTED_KWH) };
}

function priceOf(quoted: Quoted, durationS: number): z.infer<typeof PriceView> {
  return {
    sentence: quoted.sentence,
    quote: {
      energy_kwh: String(QUOTED_KWH),
      duration_min: Math.ceil(durationS / 60),
      excl_vat: quoted.exclVat,
      ...(quoted.inclVat === '' ? {} : { incl_vat: quoted.inclVat }),
      currency: quoted.currency,
    },
  };
}

import { z } from 'zod';
import { type Bus, isAskFailure } from '#bus';
import { fromJsonBytes } from '#contracts';
import { type FoundEvse, searchEvses as search } from '#contracts/locations';
import { quote, type Quoted } from '#contracts/tariff-engine';
import { decimal } from '#money';
import { chargesWhenClosed, type Connector, findEvse, type Location, type Party, partyText } from '#ocpi';
import type { OwnParties } from '#settings';
import type { Clock } from '#time';
import { appToken } from './charges.ts';
import type { TokenSettings } from './config.ts';
import type { Driver } from './entities.ts';
import type { Language } from './language.ts';
import { OperatorNames } from './operator-names.ts';
import type { QuotedCharge, RetailPrices, RetailQuote } from './retail.ts';

const QuoteView = z.object({
  energy_kwh: z.string(),
  duration_min: z.int(),
  excl_vat: z.string(),
  incl_vat: z.string().optional(),
  currency: z.string(),
});

const AlternativeView = z.object({
  start_at: z.string(),
  excl_vat: z.string(),
  incl_vat: z.string().optional(),
  currency: z.string(),
  cheapest: z.boolean().meta({ description: 'of those in the currency of the quote; the first of equals' }),
});
type AlternativeView = z.infer<typeof AlternativeView>;

const PriceView = z.object({
  sentence: z.string().meta({ description: 'the tariff, or the price by your plan, in a sentence' }),
  quote: QuoteView,
  alternatives: z.array(AlternativeView).optional()
    .meta({ description: 'the same charge begun later, from now on; only where `alternatives_within_h` asks for them' }),
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
  charging_when_closed: z.boolean().meta({ description: 'whether a car goes on charging outside the opening hours' }),
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
  readonly language: Language;
  /** Charges that begin later are quoted as well: so far ahead, in such steps. */
  readonly ahead?: Ahead | undefined;
}

interface Ahead {
  readonly withinS: number;
  readonly everyS: number;
}

/** A quote is for as much as a car usually takes, at the connector's power, from now on. */
const QUOTED_KWH = 20;
const QUOTE_TIMEOUT_MS = 3_000;

export type SearchEvses = (driver: Driver, wanted: EvseSearch) => Promise<EvseView[]>;

/** EVSEs as locations finds them, each connector with its price from tariff-engine. */
export function searchEvses(bus: Bus, clock: Clock, retail: RetailPrices, parties: OwnParties): SearchEvses {
  const names = new OperatorNames(bus, parties);
  return async (driver, wanted) => {
    const { latitude, longitude, radius_m: radiusM } = wanted;
    const { evses } = await bus.ask(search, {
      ...(latitude === undefined ? {} : { latitude }),
      ...(longitude === undefined ? {} : { longitude }),
      ...(radiusM === undefined ? {} : { radiusM }),
      connectorStandards: wanted.connector === undefined ? [] : [wanted.connector],
      availableOnly: wanted.available,
      limit: wanted.limit,
      tokens: driver.tokens.map((token) => ({
        uid: token.uid, type: token.type, visualNumber: token.visual_number ?? '', issuer: parties.find(token)?.name ?? '',
      })),
    });
    const found = evses.map((each) => ({ each, location: fromJsonBytes<Location>(each.locationJson) }));
    const prices = new Prices({ bus, retail }, appToken(driver), { at: clock.iso(), language: wanted.language, ahead: wanted.ahead });
    const views = found.map(({ each, location }) => viewOf(each, location, prices));
    const [nameOf] = await Promise.all([
      found.some(({ location }) => location.operator === undefined) ? names.current() : partyText, prices.ask(),
    ]);
    return views.map((view) => view(nameOf));
  };
}

/** What the view will be once the prices and the names are there. */
function viewOf(found: FoundEvse, location: Location, prices: Prices): (operatorOf: (party: Party) => string) => EvseView {
  const { countryCode = '', partyId = '' } = found.party ?? {};
  const evse = findEvse(location, found.evseUid);
  const connectors = (evse?.connectors ?? []).map((connector) => {
    const powerW = powerOf(connector);
    return { connector, powerW, price: prices.of({ countryCode, partyId }, location, connector) };
  });
  return (operatorOf) => ({
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
    charging_when_closed: chargesWhenClosed(location),
    operator: location.operator?.name ?? operatorOf({ country_code: countryCode, party_id: partyId }),
    connectors: connectors.map(({ connector, powerW, price }) => ({
      id: connector.id, standard: connector.standard, power_kw: String(powerW / 1000), price: price(),
    })),
  });
}

/** W; of AC_3_PHASE the voltage is line to neutral, of two phases line to line (mod_locations). */
function powerOf({ max_electric_power, max_voltage, max_amperage, power_type }: Connector): number {
  if (max_electric_power !== undefined && max_electric_power > 0) return max_electric_power;
  return max_voltage * max_amperage * (power_type === 'AC_3_PHASE' ? 3 : 1);
}

interface WantedQuote {
  readonly request: Parameters<typeof quoteRequest>;
  readonly locationId: string;
  price?: z.infer<typeof PriceView>;
}

/** The quotes of one search: connectors with the same tariffs and power share one. */
class Prices {
  private readonly wanted = new Map<string, WantedQuote>();

  constructor(
    private readonly parts: { readonly bus: Bus; readonly retail: RetailPrices },
    private readonly token: TokenSettings,
    private readonly asked: { readonly at: string; readonly language: Language; readonly ahead: Ahead | undefined },
  ) {}

  of(
    party: PartyOf, { id: locationId, time_zone: timeZone }: Location, connector: Connector,
  ): () => z.infer<typeof PriceView> {
    const powerW = powerOf(connector);
    if (!connector.tariff_ids?.length || !(powerW > 0)) return () => null;
    const durationS = Math.ceil((QUOTED_KWH * 3_600_000) / powerW);
    const key = JSON.stringify([party, timeZone, connector.tariff_ids, durationS]);
    const entry = this.wanted.get(key) ?? { request: [party, timeZone, connector.tariff_ids, durationS], locationId };
    this.wanted.set(key, entry);
    return () => entry.price ?? null;
  }

  async ask(): Promise<void> {
    const entries = [...this.wanted.values()];
    const { parts: { bus, retail }, token, asked: { at: startAt, language, ahead } } = this;
    const later = ahead ? { alternativesWithinS: ahead.withinS, alternativesEveryS: ahead.everyS } : {};
    const requests = entries.map(({ request }) => (
      { ...quoteRequest(...request), tokenType: token.type, startAt, language, ...later }));
    const answers = await bus.askMany(quote, requests, { timeoutMs: QUOTE_TIMEOUT_MS });
    const quoted = entries.flatMap((entry, index) => {
      const answer = answers[index]!;
      return isAskFailure(answer) ? [] : [{ entry, answer }];
    });
    const charges = quoted.flatMap(({ entry, answer }) => startsOf(answer, startAt).map((start) => chargeOf(entry, answer, start)));
    const prices = await retail.ofQuotes(token.uid, charges, language);
    for (const { entry, answer } of quoted) {
      const [price, ...others] = prices.splice(0, 1 + answer.alternatives.length);
      if (!price) continue;
      entry.price = {
        ...priceOf(answer, price, entry.request[3]), ...(ahead && { alternatives: begunLater(answer, others, price.currency) }),
      };
    }
  }
}

type Start = Pick<Quoted['alternatives'][number], 'startAt' | 'exclVat' | 'inclVat'>;

const startsOf = ({ exclVat, inclVat, alternatives }: Quoted, startAt: string): Start[] => [{ startAt, exclVat, inclVat }, ...alternatives];

type PartyOf = { readonly countryCode: string; readonly partyId: string };

function quoteRequest(party: PartyOf, timeZone: string, tariffIds: readonly string[], durationS: number) {
  return { party, timeZone, tariffIds: [...tariffIds], durationS, energyKwh: String(QUOTED_KWH) };
}

function chargeOf({ request, locationId }: WantedQuote, { currency }: Quoted, start: Start): QuotedCharge {
  const [party, , , durationS] = request;
  const { startAt: startedAt, exclVat, inclVat } = start;
  const hours = decimal(durationS).divide(decimal(3_600), 4, 'half-away-from-zero').toString();
  return {
    party, locationId, currency, exclVat, hours, startedAt, energyKwh: String(QUOTED_KWH),
    ...(inclVat === '' ? {} : { inclVat }),
  };
}

function priceOf({ sentence: tariff }: Quoted, price: RetailQuote, durationS: number): NonNullable<z.infer<typeof PriceView>> {
  const { sentence = tariff, ...amounts } = price;
  return { sentence, quote: { energy_kwh: String(QUOTED_KWH), duration_min: Math.ceil(durationS / 60), ...amounts } };
}

/** What the driver would pay at other starts; one whose price cannot be said now is left out. */
function begunLater({ alternatives }: Quoted, prices: readonly (RetailQuote | undefined)[], currency: string): AlternativeView[] {
  const priced = alternatives.flatMap((one, index) => {
    const price = prices[index];
    return price ? [{ one, price }] : [];
  });
  // By a plan, another start may be the cheapest than by the tariff.
  const byPlan = priced.some(({ price }) => price.sentence !== undefined);
  const best = byPlan ? cheapest(priced.filter(({ price }) => price.currency === currency)) : priced.find(({ one }) => one.cheapest);
  return priced.map((each) => {
    const { sentence: _, ...amounts } = each.price;
    return { start_at: each.one.startAt, ...amounts, cheapest: each === best };
  });
}

function cheapest<T extends { readonly price: RetailQuote }>(among: readonly T[]): T | undefined {
  const cost = ({ price }: T) => decimal(price.incl_vat ?? price.excl_vat);
  return among.reduce<T | undefined>((best, each) => (best && cost(best).compare(cost(each)) <= 0 ? best : each), undefined);
}

import { isCurrency } from '#money';
import { instant, isInstant, isTimeZone } from '#time';
import { isMonth } from './month.ts';
import { type AgreementTerms, type Fee, type PartyId, partyKey, type PartyTerms, type SmartChargingGrant } from './terms.ts';

const MOST = { fees: 20, currencies: 20, registrations: 10, address: 6, granted: 500, priority: 1_000, steering: 50 };
const DAYS_MAX = 90;

/** What keeps terms from being an agreement of these two, "field: what"; undefined when nothing does. */
export function termsProblem(
  terms: AgreementTerms,
  [own, partner]: readonly [PartyId, PartyId],
): string | undefined {
  const { valid_from, time_zone, closing_days, payment_days, currencies, parties, fees } = terms;
  if (!isMonth(valid_from)) return `valid_from: ${quoted(valid_from)} is no month such as 2022-02`;
  if (!isTimeZone(time_zone)) return `time_zone: ${quoted(time_zone)} is no IANA time zone`;
  if (!isDays(closing_days)) return `closing_days: is no number of days up to ${DAYS_MAX}`;
  if (!isDays(payment_days)) return `payment_days: is no number of days up to ${DAYS_MAX}`;
  if (currencies.length === 0 || currencies.length > MOST.currencies) {
    return `currencies: 1 to ${MOST.currencies} of them`;
  }
  const odd = currencies.find((currency) => !isCurrency(currency));
  if (odd !== undefined) return `currencies: ${quoted(odd)} is none of ISO 4217`;
  if (!['payer', 'supplier'].includes(terms.fee_tax_place)) {
    return 'fee_tax_place: is payer or supplier';
  }
  if (partyKey(own) === partyKey(partner)) return 'parties: nobody settles with itself';
  const named = parties.map(partyKey).sort().join(' and ');
  const wanted = [own, partner].map(partyKey).sort().join(' and ');
  if (named !== wanted) return `parties: are ${named || 'none'}, and have to be ${wanted}`;
  if (fees.length > MOST.fees) return `fees: more than ${MOST.fees}`;
  return (
    firstProblem(parties, partyProblem, 'parties') ??
    firstProblem(fees, (fee) => feeProblem(fee, terms), 'fees') ??
    idsProblem('tariffs', terms.grants?.tariffs ?? []) ??
    idsProblem('locations', terms.grants?.locations ?? []) ??
    priorityProblem(terms.grants?.token_priority ?? 0) ??
    steeringProblem(terms.grants?.smart_charging ?? [])
  );
}

function firstProblem<T>(
  all: readonly T[],
  problemOf: (one: T) => string | undefined,
  name: string,
): string | undefined {
  for (const [index, one] of all.entries()) {
    const problem = problemOf(one);
    if (problem !== undefined) return `${name}[${index}].${problem}`;
  }
  return undefined;
}

function partyProblem(party: PartyTerms): string | undefined {
  const { name, address, country, state, postal_code, registrations } = party;
  if (!isLine(name, 100)) return 'name: 1 to 100 characters';
  if (address.length > MOST.address || !address.every((line) => isLine(line, 100))) {
    return `address: at most ${MOST.address} lines of 1 to 100 characters`;
  }
  if (!/^[A-Z]{3}$/.test(country)) return 'country: three letters of ISO 3166-1, such as CAN';
  if (state.length > 45 || postal_code.length > 10) return 'state, postal_code: are too long';
  if (registrations.length > MOST.registrations) return `registrations: more than ${MOST.registrations}`;
  const whole = registrations.every(({ tax, number }) => isLine(tax, 20) && isLine(number, 40));
  return whole ? undefined : 'registrations: each has a tax (up to 20 characters) and a number (up to 40)';
}

function feeProblem(fee: Fee, { parties }: AgreementTerms): string | undefined {
  const { name, cdrs_of, per, amount, currency, paid_by } = fee;
  if (!isLine(name, 60)) return 'name: 1 to 60 characters';
  if (!parties.some((party) => partyKey(party) === partyKey(cdrs_of))) {
    return 'cdrs_of: is neither of the parties';
  }
  if (!['session', 'kwh', 'percent'].includes(per)) return 'per: is session, kwh or percent';
  if (!isAmount(amount)) {
    return `amount: ${quoted(amount)} is no decimal number from 0 up with at most six decimals`;
  }
  if (per === 'percent' ? currency !== '' : !isCurrency(currency)) {
    return per === 'percent'
      ? 'currency: a percentage has none'
      : `currency: ${quoted(currency)} is none of ISO 4217`;
  }
  return ['CPO', 'EMSP'].includes(paid_by) ? undefined : 'paid_by: is CPO or EMSP';
}

function idsProblem(of: 'tariffs' | 'locations', ids: readonly string[]): string | undefined {
  if (ids.length > MOST.granted) return `grants.${of}: more than ${MOST.granted}`;
  const odd = ids.findIndex((id) => !isLine(id, 36));
  return odd < 0 ? undefined : `grants.${of}[${odd}]: is no id of a ${of.slice(0, -1)}, of 1 to 36 characters`;
}

function priorityProblem(priority: number): string | undefined {
  const isOne = Number.isInteger(priority) && priority >= 0 && priority <= MOST.priority;
  return isOne ? undefined : `grants.token_priority: is no whole number from 0 to ${MOST.priority}`;
}

function steeringProblem(granted: readonly SmartChargingGrant[]): string | undefined {
  if (granted.length > MOST.steering) return `grants.smart_charging: more than ${MOST.steering}`;
  return firstProblem(granted, smartChargingProblem, 'grants.smart_charging');
}

function smartChargingProblem(grant: SmartChargingGrant): string | undefined {
  const { token_party: { country_code, party_id }, contract_ids = [], locations = [], consent, since, until } = grant;
  if (!/^[A-Z]{2}\*[A-Z0-9]{3}$/i.test(`${country_code}*${party_id}`)) {
    return 'token_party: is no party such as CA*CPK, whose tokens they are';
  }
  if (!isLine(consent, 200)) return 'consent: who allowed it and where that is written, in 1 to 200 characters';
  for (const [name, ids] of [['contract_ids', contract_ids], ['locations', locations]] as const) {
    if (ids.length > MOST.granted) return `${name}: more than ${MOST.granted}`;
    const odd = ids.findIndex((id) => !isLine(id, 36));
    if (odd >= 0) return `${name}[${odd}]: is no id of 1 to 36 characters`;
  }
  for (const [name, at] of [['since', since], ['until', until]] as const) {
    if (at !== undefined && !isInstant(at)) return `${name}: ${quoted(at)} is no instant such as 2022-02-01T08:00:00Z`;
  }
  const ends = since !== undefined && until !== undefined && instant(until) <= instant(since);
  return ends ? 'until: is not after since' : undefined;
}

function isDays(days: number): boolean {
  return Number.isInteger(days) && days >= 0 && days <= DAYS_MAX;
}

/** One line of text that can be printed. */
function isLine(text: string, most: number): boolean {
  return text.trim() !== '' && text.length <= most && !/\p{C}/u.test(text);
}

function isAmount(text: string): boolean {
  return /^\d{1,9}(\.\d{1,6})?$/.test(text);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

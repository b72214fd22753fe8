import { decimal } from '#money';
import { type Cdr, type Party, sameParty } from '#ocpi';
import type { Queryable } from '#postgres';
import type { EventStore } from '#event-store';
import { type Place, taxesAt } from '#taxes';
import { type Clock, instant } from '#time';
import {
  account,
  type AccountCommand,
  type AccountState,
  accountStream,
  planAt,
} from './account.ts';
import { type Charged, type PlanVersion, retailPrice, type RetailPrice } from './plan.ts';
import type { Holder } from './holders.ts';
import type { PlanBook } from './plan-book.ts';
import type { RetailSettings } from './retail-config.ts';
import { holderPart } from './holders.ts';
import { accountsLedger } from './ledgers.ts';
import { sealOf } from './private-part.ts';
import type { Order, Recorder } from './record.ts';

export interface Priced {
  readonly plan: PlanVersion;
  readonly price: RetailPrice;
}

/** A charge that is to be priced for the holder of an account. */
export interface ForDriver extends Omit<Charged, 'own' | 'taxes'> {
  /** Who operates there. */
  readonly party: Party;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly place: Place | undefined;
}

export interface RetailPricingParts {
  readonly db: Queryable;
  readonly store: EventStore;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly settings: RetailSettings;
  readonly plans: PlanBook;
}

/** Prices charges by the plan that the account had when they began. */
export class RetailPricing {
  constructor(private readonly parts: RetailPricingParts) {}

  /** Opens the account, if it is not. */
  async opened({ accountId, party }: Pick<Holder, 'accountId' | 'party'>): Promise<AccountState> {
    const { recorder, clock, settings } = this.parts;
    const order = async ({ opened }: AccountState): Promise<Order<AccountCommand> | undefined> => {
      if (opened) return undefined;
      const part = await holderPart(this.parts.db, accountId, party);
      const command: AccountCommand = {
        type: 'OpenAccount',
        ledger: accountsLedger(party),
        accountId,
        planId: settings.defaultPlan,
        limits: settings.limits,
        ...(part && { private: sealOf(part) }),
        at: clock.iso(),
      };
      return { parts: part ? [part] : [], command };
    };
    return (await recorder.record(accountStream(accountId), account, order)).state;
  }

  async price(holder: Pick<Holder, 'accountId' | 'party'>, charged: ForDriver): Promise<Priced> {
    return this.priceBy(await this.opened(holder), charged, holder.party);
  }

  /** By the plans of an account of one of our parties as it stands. */
  priceBy(state: Pick<AccountState, 'plans'>, charged: ForDriver, own: Party): Priced {
    const { party, startedAt, place } = charged;
    const planId = planAt(state, instant(startedAt), instant);
    const plan = this.parts.plans.at(planId, startedAt);
    const taxes = place && taxesAt(place, instant(startedAt));
    const price = retailPrice(
      {
        ...charged,
        // Partners may write it small: it is the same account.
        currency: charged.currency.toUpperCase(),
        own: sameParty(party, own),
        taxes,
      },
      plan.terms,
    );
    return { plan, price };
  }
}

type PricedCdr = Pick<
  Cdr,
  | 'country_code' | 'party_id' | 'currency' | 'total_cost' | 'total_energy' | 'total_time'
  | 'start_date_time' | 'cdr_location'
>;

export function chargedOf(cdr: PricedCdr): ForDriver {
  const { country_code, party_id, currency, total_cost, cdr_location: place } = cdr;
  const { excl_vat, incl_vat } = total_cost;
  const { country, state, postal_code } = place;
  return {
    party: { country_code, party_id },
    currency,
    exclVat: decimal(excl_vat),
    inclVat: incl_vat === undefined ? undefined : decimal(incl_vat),
    energyKwh: decimal(cdr.total_energy),
    hours: decimal(cdr.total_time),
    startedAt: cdr.start_date_time,
    place: { country, state, postal_code },
  };
}

import { z } from 'zod';
import type { Bus } from '#bus';
import { fromJsonBytes } from '#contracts';
import { type CdrFound, getCdr, listTokenCdrs } from '#contracts/cdr-ledger';
import { busParty } from '#contracts/party';
import { decimal } from '#money';
import type { Cdr } from '#ocpi';
import { driverTaxes } from '#settlement';
import { owns } from './charges.ts';
import type { Money as Total } from './charge.ts';
import type { Driver } from './entities.ts';
import { Explanation, Findings, Money, OcpiObject } from './fields.ts';
import { Problem } from './problem.ts';
import type { Language } from './language.ts';
import { type RetailPrices, type ShownRetail, withoutCosts } from './retail.ts';

export const ReceiptView = z.object({
  country_code: z.string(),
  party_id: z.string(),
  cdr_id: z.string(),
  credit: z.boolean(),
  session_id: z.string(),
  started_at: z.string(),
  ended_at: z.string(),
  location: z.string(),
  kwh: z.string(),
  total: Money,
  taxes: z.array(z.object({ code: z.string(), rate: z.string(), amount: z.string() }))
    .meta({ description: 'one by one, rounded as they are paid: they add up to the tax of the total' }),
}).meta({ id: 'Receipt' });
export type ReceiptView = z.infer<typeof ReceiptView>;

export const WholeReceipt = ReceiptView.extend({
  cdr: OcpiObject, explanation: Explanation, findings: Findings,
}).meta({ id: 'WholeReceipt' });

type ReceiptId = Pick<ReceiptView, 'country_code' | 'party_id' | 'cdr_id'>;

/** A driver's receipts: the CDRs of the driver's own tokens. */
export class Receipts {
  constructor(
    private readonly bus: Bus,
    private readonly retail: RetailPrices,
  ) {}

  async list(driver: Driver, limit: number): Promise<ReceiptView[]> {
    const lists = await Promise.all(driver.tokens.map((token) => (
      this.bus.ask(listTokenCdrs, { tokenParty: busParty(token), tokenUid: token.uid, limit }))));
    const cdrs = lists.flatMap(({ cdrsJson }) => cdrsJson.map((bytes) => fromJsonBytes<Cdr>(bytes)));
    const newest = cdrs
      .map((cdr, index) => ({ cdr, index }))
      .sort((a, b) => Date.parse(b.cdr.last_updated) - Date.parse(a.cdr.last_updated) || a.index - b.index)
      .slice(0, limit).map(({ cdr }) => cdr);
    const prices = await this.retail.ofCdrs(newest);
    // What is on no account is nothing that the driver paid.
    return newest.flatMap((cdr, index) => {
      const price = prices[index];
      return price ? [receiptOf(cdr, price)] : [];
    });
  }

  async find(driver: Driver, id: ReceiptId, language: Language): Promise<z.infer<typeof WholeReceipt>> {
    const { country_code: countryCode, party_id: partyId, cdr_id: cdrId } = id;
    const found = await this.bus.ask(getCdr, { party: { countryCode, partyId }, cdrId, language, asMeant: true });
    const cdr = found.cdrJson && fromJsonBytes<Cdr>(found.cdrJson);
    const [retail] = cdr && owns(driver, cdr.cdr_token) ? await this.retail.ofCdrs([cdr], language) : [];
    if (!cdr || !retail) {
      throw new Problem(404, 'unknown-receipt', `cdr_id: none of your receipts is ${countryCode}*${partyId} ${cdrId}`);
    }
    const { passesThrough, text = '' } = retail;
    const receipt = receiptOf(cdr, retail);
    // What was found on the CDR is between us and the operator, as its price is.
    if (!passesThrough) return { ...receipt, cdr: withoutCosts(cdr), explanation: { text, tree: null }, findings: [] };
    const { explanation, findings } = explained(found);
    return { ...receipt, cdr, findings, explanation: { ...explanation, text: `${text}${explanation.text}` } };
  }
}

/** Its taxes are those within what the driver pays: those of the CDR would say what it costs at the operator. */
function receiptOf(cdr: Cdr, { total, taxes = driverTaxes(cdr, paid(total)) }: Pick<ShownRetail, 'total' | 'taxes'>): ReceiptView {
  const { name, address, city } = cdr.cdr_location;
  return {
    country_code: cdr.country_code,
    party_id: cdr.party_id,
    cdr_id: cdr.id,
    credit: cdr.credit ?? false,
    session_id: cdr.session_id ?? '',
    started_at: cdr.start_date_time,
    ended_at: cdr.end_date_time,
    location: [name, address, city].filter(Boolean).join(', '),
    kwh: decimal(cdr.total_energy).toString(),
    total,
    taxes: taxes.map(({ code, rate, amount }) => ({ code, rate, amount })),
  };
}

function paid({ excl_vat, incl_vat, currency }: Total) {
  const total_cost = { excl_vat: Number(excl_vat), ...(incl_vat === undefined ? {} : { incl_vat: Number(incl_vat) }) };
  return { currency, total_cost };
}

/** What the ledger found and how the price came about. */
export function explained({ findings, explanationJson, explanationText }: CdrFound) {
  return {
    findings: findings.map(({ code, detail, figures }) => ({ code, detail, figures })),
    explanation: {
      text: explanationText,
      tree: explanationJson.length === 0 ? null : fromJsonBytes<unknown>(explanationJson),
    },
  };
}

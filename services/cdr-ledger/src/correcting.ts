import { Rejected } from '#decider';
import { decimal, type Decimal, digitsOf } from '#money';
import { type Cdr, parseJson, read, Tariff } from '#ocpi';
import { timeUuid } from '#postgres';
import { InvalidCharge, InvalidTariff } from '#pricing';
import { settledCdr, type Taxed, taxedOf } from '#settlement';
import type { Clock } from '#time';
import {
  type CdrRefusal,
  type CdrIssued,
  type Correction,
  correctionBy,
  readCdrId,
  type SessionCdrCommand,
  sessionCdrs,
  sessionStream,
  standingCdr,
} from './cdr.ts';
import { creditOf, replacementOf, type Review } from './correction.ts';
import { ofMeter } from './finding.ts';
import type { MeterKeyOf } from './meters.ts';
import {
  type PrivatePart,
  type PublicCdr,
  privateOf,
  privatePart,
  publicOf,
  sealOf,
  wholeCdr,
} from './private-part.ts';
import type { PrivateParts } from './private-parts.ts';
import type { Order, Recorder } from './record.ts';
import { reviewSigned } from './review-signed.ts';
import { newSalt } from './salt.ts';
import { negated } from './taken-back.ts';

export interface OrderedCorrection {
  /** The same on every retry. */
  readonly commandId: string;
  readonly cdrId: string;
  readonly reason: string;
  readonly tariffJson?: Uint8Array | undefined;
  readonly energyWh?: string | undefined;
  readonly withoutReplacement: boolean;
}

export type CorrectionRefusal = CdrRefusal | 'invalid-object';

export interface Correcting {
  readonly recorder: Recorder;
  readonly privateParts: PrivateParts;
  readonly clock: Clock;
  readonly meterKeyOf: MeterKeyOf;
}

/** Credits a CDR of ours in full and issues what replaces it, in one append. Throws Rejected. */
export async function correct(
  { recorder, privateParts, clock, meterKeyOf }: Correcting,
  ordered: OrderedCorrection,
): Promise<Correction & Pick<CdrIssued, 'tokenParty'>> {
  const { commandId, cdrId, reason, withoutReplacement } = ordered;
  const id = readCdrId(cdrId);
  if (!id) throw refuse('unknown-cdr', `${cdrId} is no id of a CDR of ours`);
  if (reason.length > 500) throw refuse('invalid-object', 'reason: is longer than 500 characters');
  const { state } = await recorder.record(
    sessionStream(id.sessionId),
    sessionCdrs,
    async (cdrs): Promise<Order<SessionCdrCommand> | undefined> => {
      if (correctionBy(commandId, cdrs)) return undefined;
      const standing = standingCdr(cdrId, cdrs);
      const found = await privateParts.find([standing.private.id]);
      const cdr = wholeCdr(standing.cdr, found.get(standing.private.id)?.text, standing.tokenParty);
      const at = clock.iso();
      // What an operator writes may name a person: it can be erased with the contract.
      const credit = sealed(creditOf(cdr, at), { reason });
      const takenBack = { ...credit.entry, taxed: taxedBack(credit.entry.cdr, standing.taxed) };
      if (withoutReplacement) {
        return {
          parts: [credit.part],
          command: { type: 'CorrectCdr', commandId, cdrId, credit: takenBack },
        };
      }
      const { cdr: replacing, pricing } = replaced(
        { ...standing, cdr },
        readReview(ordered, cdr.currency),
        at,
      );
      const replacement = sealed(replacing);
      // What the meter said is as it was; whether it bears out what is charged now is another question.
      const findings = [...ofMeter(standing.findings), ...reviewSigned(replacing, meterKeyOf(replacing))];
      return {
        parts: [credit.part, replacement.part],
        command: {
          type: 'CorrectCdr',
          commandId,
          cdrId,
          credit: takenBack,
          replacement: { ...replacement.entry, pricing, taxed: taxedOf(settledCdr(replacement.entry.cdr)), ...(findings.length > 0 ? { findings } : {}) },
        },
      };
    },
  );
  return { ...correctionBy(commandId, state)!, tokenParty: state.newest!.tokenParty };
}

/** The taxes that were charged, also where the data of taxes would name them otherwise by now. */
export function taxedBack(credit: PublicCdr, charged: Taxed | undefined): Taxed {
  return charged === undefined ? taxedOf(settledCdr(credit)) : negated(charged, digitsOf(credit.currency.toUpperCase()));
}

/** A CDR of ours in its two parts; `beside` is kept with the private one. */
export function sealed(
  cdr: Cdr,
  beside: object = {},
): {
  part: PrivatePart;
  entry: { cdr: ReturnType<typeof publicOf>; private: ReturnType<typeof sealOf> };
} {
  const part = privatePart(cdr.cdr_token, JSON.stringify({ ...privateOf(cdr), ...beside }), {
    id: timeUuid(),
    salt: newSalt(),
    at: cdr.start_date_time,
  });
  return { part, entry: { cdr: publicOf(cdr), private: sealOf(part) } };
}

function replaced(...given: Parameters<typeof replacementOf>): ReturnType<typeof replacementOf> {
  try {
    return replacementOf(...given);
  } catch (error) {
    if (error instanceof InvalidTariff || error instanceof InvalidCharge)
      throw refuse('invalid-object', `tariff: ${error.message}`);
    throw error;
  }
}

function readReview({ tariffJson, energyWh }: OrderedCorrection, currency: string): Review {
  return {
    ...(tariffJson === undefined ? {} : { tariff: readTariff(tariffJson, currency) }),
    ...(energyWh === undefined ? {} : { energyWh: readEnergy(energyWh) }),
  };
}

function readTariff(bytes: Uint8Array, currency: string): Tariff {
  const json = parseJson(bytes, { maxBytes: 100_000 });
  if (!json.ok) throw refuse('invalid-object', `tariff: ${json.message}`);
  const reading = read(Tariff, json.value);
  if (!reading.ok) throw refuse('invalid-object', `tariff: ${reading.message}`);
  if (reading.value.currency !== currency) {
    throw refuse(
      'invalid-object',
      `tariff: is in ${reading.value.currency}, the CDR is in ${currency}`,
    );
  }
  return reading.value;
}

/** More than any vehicle takes: 10 MWh. */
const ENERGY_WH_MAX = decimal(10_000_000);

function readEnergy(text: string): string {
  let energyWh: Decimal;
  try {
    energyWh = decimal(text);
  } catch {
    throw refuse('invalid-object', `energy_wh: ${text.slice(0, 40)} is no decimal number`);
  }
  if (energyWh.isNegative() || energyWh.compare(ENERGY_WH_MAX) > 0) {
    throw refuse(
      'invalid-object',
      `energy_wh: ${text.slice(0, 40)} is not between 0 and ${ENERGY_WH_MAX}`,
    );
  }
  return text;
}

function refuse(code: CorrectionRefusal, detail: string): Rejected<CorrectionRefusal> {
  return new Rejected(code, detail);
}

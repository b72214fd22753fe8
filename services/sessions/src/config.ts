import { z } from 'zod';
import type { Settings } from '#settings';
import type { Clock } from '#time';
import type { UpdateEveryMs } from './metering.ts';
import type { Patience } from './order.ts';
import type { ParkingRules } from './parking.ts';

const seconds = z.number().positive();

const section = z.strictObject({
  /** Platform time between two refreshes of a running Session, by what its connector gives. */
  update_every_s: z.union([seconds, z.strictObject({ ac: seconds.default(300), dc: seconds.default(60) })]).default({ ac: 300, dc: 60 }),
  /** What partners are told to wait for the result of a command; platform time. */
  start_timeout_s: z.int().positive().default(60),
  stop_timeout_s: z.int().positive().default(60),
  /** Real time for a charger's answer, and for a partner's answer to an order. */
  charger_timeout_ms: z.int().positive().default(30_000),
  partner_timeout_ms: z.int().positive().default(20_000),
  /** How long an order waits for its charge after the station's yes, and how long it is unknown. */
  charge_wait_s: z.int().positive().default(300),
  unknown_wait_s: z.int().positive().default(600),
  /** Of a car that stays after its charge: what is not counted, and the longest that is. */
  parking_grace_s: z.int().nonnegative().default(0),
  parking_cap_s: z.int().positive().default(86_400),
  /** In which a station tells its connector's status after a stop, or after it was away. */
  status_wait_s: z.int().positive().default(120),
  /** After its expiry a reservation is over: for clocks that differ, and while its station is away. */
  reservation_grace_s: z.int().nonnegative().default(10),
  reservation_offline_wait_s: z.int().nonnegative().default(3_600),
  /** Of the charging profile of a session: what partners are told to wait for its result, and the pause between two changes. */
  profile_timeout_s: z.int().positive().default(60),
  profile_every_s: z.int().nonnegative().default(10),
});

export interface Config {
  readonly updateEveryMs: UpdateEveryMs;
  readonly startTimeoutS: number;
  readonly stopTimeoutS: number;
  readonly chargerTimeoutMs: number;
  readonly partnerTimeoutMs: number;
  /** Platform time: when an order on its way is looked at. */
  readonly orderLookMs: number;
  readonly orderPatience: Patience;
  readonly parkingRules: ParkingRules;
  readonly reservationGraceMs: number;
  readonly reservationOfflineWaitMs: number;
  readonly profileTimeoutS: number;
  readonly profileEveryMs: number;
}

/** Beyond what a station or a partner has for its answer: in so long it comes back over the bus. Real time. */
export const ANSWER_TRAVELS_MS = 2_000;

/** Looks after which an order that nobody sent is given up. */
const LOOKS_WHILE_SENT = 15;

export function configOf(settings: Settings): Config {
  const given = settings.section('sessions', section);
  const { clock } = settings;
  const orderLookMs = given.partner_timeout_ms * clock.rate;
  const waitMs = (seconds: number) => notBefore(given.partner_timeout_ms, seconds, clock) * 1_000;
  return {
    updateEveryMs: everyMs(given.update_every_s),
    startTimeoutS: notBefore(given.charger_timeout_ms, given.start_timeout_s, clock),
    stopTimeoutS: notBefore(given.charger_timeout_ms, given.stop_timeout_s, clock),
    chargerTimeoutMs: given.charger_timeout_ms,
    profileTimeoutS: notBefore(given.charger_timeout_ms, given.profile_timeout_s, clock),
    profileEveryMs: given.profile_every_s * 1_000,
    partnerTimeoutMs: given.partner_timeout_ms,
    orderLookMs,
    orderPatience: {
      sentMs: orderLookMs * LOOKS_WHILE_SENT,
      chargeMs: waitMs(given.charge_wait_s),
      unknownMs: waitMs(given.unknown_wait_s),
    },
    reservationGraceMs: given.reservation_grace_s * 1_000,
    reservationOfflineWaitMs: given.reservation_offline_wait_s * 1_000,
    parkingRules: {
      graceMs: given.parking_grace_s * 1_000,
      capMs: given.parking_cap_s * 1_000,
      waitMs: notBefore(given.charger_timeout_ms, given.status_wait_s, clock) * 1_000,
    },
  };
}

function everyMs(every: number | { ac: number; dc: number }): UpdateEveryMs {
  const { ac, dc } = typeof every === 'number' ? { ac: every, dc: every } : every;
  return { ac: ac * 1_000, dc: dc * 1_000 };
}

/** The network's time-out is real time: where the platform's clock runs fast, it takes more of its seconds. */
function notBefore(networkMs: number, timeoutS: number, { rate }: Clock): number {
  return Math.max(timeoutS, Math.ceil((networkMs / 1_000) * rate));
}

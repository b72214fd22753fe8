import type { Config } from '../src/config.ts';

/** Times that let a test wait for nothing in vain; who is asked answers, if slowly on a busy machine. */
export const config: Config = {
  profileTimeoutS: 60,
  profileEveryMs: 10_000,
  updateEveryMs: { ac: 60_000, dc: 60_000 },
  startTimeoutS: 60,
  stopTimeoutS: 60,
  chargerTimeoutMs: 20_000,
  partnerTimeoutMs: 20_000,
  orderLookMs: 1_000,
  orderPatience: { sentMs: 15_000, chargeMs: 300_000, unknownMs: 600_000 },
  parkingRules: { graceMs: 0, capMs: 86_400_000, waitMs: 120_000 },
  reservationGraceMs: 0,
  reservationOfflineWaitMs: 0,
};

/** For tests in which nobody reserves. */
export const noReservations = {
  reserve: async () => {
    throw new Error('nobody reserves here');
  },
  cancel: async () => {
    throw new Error('nobody reserves here');
  },
};

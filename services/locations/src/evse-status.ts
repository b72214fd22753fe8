import type { Status } from '#ocpi';

/** What is known of one connector of an EVSE: OCPP 1.6's ChargePointStatus, or nothing yet. */
export interface PlugState {
  readonly connected: boolean;
  readonly status?: string | undefined;
  /** Of connector 0: the station as a whole. */
  readonly stationStatus?: string | undefined;
}

const byChargePointStatus: Readonly<Record<string, Status>> = {
  Available: 'AVAILABLE',
  // The car is plugged in and does not charge: nobody else can use the EVSE.
  Preparing: 'BLOCKED',
  Finishing: 'BLOCKED',
  Charging: 'CHARGING',
  SuspendedEV: 'CHARGING',
  SuspendedEVSE: 'CHARGING',
  Reserved: 'RESERVED',
  Unavailable: 'INOPERATIVE',
  Faulted: 'OUTOFORDER',
};

/** The state of an EVSE with several connectors is that of the busiest: one of them charges at a time. */
const busiestFirst: readonly Status[] = ['CHARGING', 'BLOCKED', 'RESERVED', 'AVAILABLE', 'OUTOFORDER', 'INOPERATIVE', 'UNKNOWN'];

/** OCPI's status of an EVSE from the states of its connectors. */
export function evseStatus(plugs: readonly PlugState[]): Status {
  const states = plugs.map(plugStatus);
  return busiestFirst.find((status) => states.includes(status)) ?? 'UNKNOWN';
}

function plugStatus({ connected, status, stationStatus }: PlugState): Status {
  if (!connected) return 'UNKNOWN';
  if (stationStatus === 'Faulted' || stationStatus === 'Unavailable') return byChargePointStatus[stationStatus]!;
  return (status !== undefined && byChargePointStatus[status]) || 'UNKNOWN';
}

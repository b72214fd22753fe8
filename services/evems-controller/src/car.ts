import type { HeldProfile } from './profile.ts';

/** What the stations told about one connector, as the service mirrors it. Instants in epoch ms. */
export interface Connector {
  readonly stationId: string;
  readonly connectorId: number;
  readonly connected: boolean;
  /** The station's sockets so far; 0 = never heard of. */
  readonly connection: number;
  readonly bootedAt: number | undefined;
  /** OCPP 1.6 ChargePointStatus, verbatim; '' = not told. */
  readonly status: string;
  readonly statusAt: number;
  /** The open transaction of a card that may charge. */
  readonly transaction: { readonly id: string; readonly startedAt: number } | undefined;
  readonly drawn: Drawn | undefined;
  /** Set for that transaction. */
  readonly held: HeldProfile | undefined;
}

/** The highest phase of a meter reading. */
export interface Drawn {
  readonly ma: number;
  readonly at: number;
}

/** The connector as far as it matters to the feed. */
export interface Car {
  readonly connected: boolean;
  readonly connection: number;
  readonly bootedAt: number | undefined;
  /** Something is plugged in, so that current may flow. */
  readonly plugged: boolean;
  /** little: the car itself has paused, and gets the minimum to go on with. */
  readonly wants: 'nothing' | 'little' | 'power';
  readonly arrivedAt: number;
  readonly drawn: Drawn | undefined;
  /** The charging profile of its charge. */
  readonly held: HeldProfile | undefined;
}

export const noCar: Car = {
  connected: false,
  connection: 0,
  bootedAt: undefined,
  plugged: false,
  wants: 'nothing',
  arrivedAt: 0,
  drawn: undefined,
  held: undefined,
};

const plugged = ['Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing'];
const over = ['Available', 'Finishing', 'Reserved', 'Unavailable', 'Faulted'];

export function carAt(connector: Connector): Car {
  const { connected, connection, bootedAt, transaction, status, drawn, held } = connector;
  return {
    connected,
    connection,
    bootedAt,
    plugged: transaction !== undefined || plugged.includes(status),
    wants: wantsOf(connector),
    arrivedAt: transaction?.startedAt ?? 0,
    drawn: transaction && drawn && drawn.at >= transaction.startedAt ? drawn : undefined,
    held: transaction && held,
  };
}

function wantsOf({ transaction, status, statusAt }: Connector): Car['wants'] {
  if (!transaction) return 'nothing';
  // A status from before the transaction says nothing about it: not every station sends Preparing.
  if (statusAt < transaction.startedAt) return 'power';
  if (over.includes(status)) return 'nothing';
  return status === 'SuspendedEV' ? 'little' : 'power';
}

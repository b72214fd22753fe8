import type { Decider } from '#decider';

/** Who says what a tariff is: our roamwatt.yaml, our operator, or the partner whose it is. */
export type TariffSource = 'settings' | 'operator' | 'partner';

/** One tariff of one party; each published change is a version that stays as it is. */
export interface TariffState {
  /** 0 = never published. */
  readonly version: number;
  /** The version that it began with, or came back with after it was withdrawn. */
  readonly sinceVersion: number;
  /** Of the newest version's content. */
  readonly digest: string;
  readonly lastUpdatedMs: number;
  /** Digests that came with that last_updated, and when we last took each. */
  readonly seen: Readonly<Record<string, number>>;
  readonly publishedAtMs: number;
  readonly withdrawn: boolean;
  readonly withdrawnAtMs: number;
  /** What the settings said last: the same again is no news. */
  readonly settingsDigest: string | undefined;
  /** Which version an order that has an id led to, or found. */
  readonly done: Readonly<Record<string, number>>;
}

export interface PublishTariff {
  readonly type: 'PublishTariff';
  readonly source: TariffSource;
  /** The OCPI Tariff's JSON. */
  readonly text: string;
  /** Of its content in one spelling, without last_updated. */
  readonly digest: string;
  readonly lastUpdated: string;
  readonly lastUpdatedMs: number;
  /** Platform time at which we take it. */
  readonly at: string;
  readonly atMs: number;
  /** The same on every retry, where whoever orders has one. */
  readonly commandId?: string;
  /** Only while this version stands. */
  readonly after?: number;
  /** What is held under this last_updated gives way also to what is older: its owner was asked. */
  readonly replacesMs?: number;
}

export interface WithdrawTariff {
  readonly type: 'WithdrawTariff';
  readonly source: TariffSource;
  readonly at: string;
  readonly atMs: number;
  /** When its owner was asked for the list that does not have it. */
  readonly foundMs?: number;
  readonly commandId?: string;
}

export type TariffCommand = PublishTariff | WithdrawTariff;

export interface TariffPublished extends Omit<PublishTariff, 'type'> {
  readonly type: 'TariffPublished';
  readonly version: number;
}

export interface TariffWithdrawn extends Omit<WithdrawTariff, 'type'> {
  readonly type: 'TariffWithdrawn';
}

/** What was ordered was so already: the same order, come again after another change, is no news. Nobody is told. */
export interface TariffKept extends Omit<WithdrawTariff, 'type'> {
  readonly type: 'TariffKept';
  readonly version: number;
  /** What it should be. */
  readonly said?: Pick<PublishTariff, 'digest' | 'lastUpdatedMs'>;
}

export type TariffTurn = TariffPublished | TariffWithdrawn;
export type TariffEvent = TariffTurn | TariffKept;

export const tariffDecider: Decider<TariffState, TariffCommand, TariffEvent> = {
  initial: {
    version: 0,
    sinceVersion: 0,
    digest: '',
    lastUpdatedMs: -Infinity,
    seen: {},
    publishedAtMs: -Infinity,
    withdrawn: false,
    withdrawnAtMs: -Infinity,
    settingsDigest: undefined,
    done: {},
  },

  decide(command, tariff) {
    if (wasDone(command, tariff)) return [];
    switch (command.type) {
      case 'PublishTariff':
        if (command.after !== undefined && (command.after !== tariff.version || tariff.withdrawn)) return [];
        if (isNews(command, tariff)) return [{ ...command, type: 'TariffPublished', version: tariff.version + 1 }];
        return isSo(command, tariff) ? noted(command, tariff) : [];
      case 'WithdrawTariff': {
        // Ordered before the version that stands: it was about another one.
        const isLate = (command.foundMs ?? command.atMs) < tariff.publishedAtMs || command.atMs <= tariff.withdrawnAtMs;
        const isNothing = tariff.version === 0 || tariff.withdrawn || isLate;
        return isNothing ? noted(command, tariff) : [{ ...command, type: 'TariffWithdrawn' }];
      }
    }
  },

  evolve(tariff, event) {
    switch (event.type) {
      case 'TariffPublished': {
        const { version, digest, atMs } = event;
        return {
          ...saidBy(event, event, tariff),
          version,
          sinceVersion: tariff.version === 0 || tariff.withdrawn ? version : tariff.sinceVersion,
          digest,
          publishedAtMs: atMs,
          withdrawn: false,
          done: doneBy(event, version, tariff),
        };
      }
      case 'TariffWithdrawn': {
        const { settingsDigest } = tariff;
        return {
          ...tariff,
          withdrawn: true,
          withdrawnAtMs: event.atMs,
          // The settings that do not have it any more may have it again.
          settingsDigest: event.source === 'settings' ? undefined : settingsDigest,
          done: doneBy(event, tariff.version, tariff),
        };
      }
      case 'TariffKept': {
        const { said, version } = event;
        return { ...(said ? saidBy(event, said, tariff) : tariff), done: doneBy(event, version, tariff) };
      }
    }
  },
};

function wasDone(command: TariffCommand, { done, settingsDigest }: TariffState): boolean {
  const { commandId } = command;
  if (commandId !== undefined && Object.hasOwn(done, commandId)) return true;
  // An operator's later change, or withdrawal, outlives a restart with the same settings.
  return command.type === 'PublishTariff' && command.source === 'settings' && command.digest === settingsDigest;
}

function doneBy({ commandId }: TariffEvent, version: number, { done }: TariffState): TariffState['done'] {
  return commandId === undefined ? done : { ...done, [commandId]: version };
}

function saidBy(
  { source, atMs }: TariffEvent, { digest, lastUpdatedMs }: NonNullable<TariffKept['said']>, tariff: TariffState,
): TariffState {
  const seen = lastUpdatedMs === tariff.lastUpdatedMs ? tariff.seen : {};
  return {
    ...tariff,
    lastUpdatedMs,
    seen: { ...seen, [digest]: Math.max(seen[digest] ?? -Infinity, atMs) },
    settingsDigest: source === 'settings' ? digest : tariff.settingsDigest,
  };
}

function isSo({ digest, lastUpdatedMs }: PublishTariff, tariff: TariffState): boolean {
  return digest === tariff.digest && !tariff.withdrawn && lastUpdatedMs >= tariff.lastUpdatedMs;
}

/** An order with an id, and what the settings say, are known again; a partner's object is by its last_updated. */
function noted(command: TariffCommand, { version }: TariffState): readonly TariffKept[] {
  const { source, at, atMs, commandId } = command;
  if (commandId === undefined && source !== 'settings') return [];
  const kept = { type: 'TariffKept', source, at, atMs, version, ...(commandId === undefined ? {} : { commandId }) } as const;
  if (command.type === 'WithdrawTariff') return commandId === undefined ? [] : [kept];
  const { digest, lastUpdatedMs } = command;
  return [{ ...kept, said: { digest, lastUpdatedMs } }];
}

function isNews(command: PublishTariff, tariff: TariffState): boolean {
  const { digest, lastUpdatedMs, atMs, replacesMs } = command;
  if (lastUpdatedMs < tariff.lastUpdatedMs && replacesMs !== tariff.lastUpdatedMs) return false; // LOC-34 by analogy: the older never overwrites.
  if (isSo(command, tariff)) return false;
  const seenAtMs = lastUpdatedMs > tariff.lastUpdatedMs ? undefined : tariff.seen[digest];
  if (seenAtMs === undefined) return true;
  // The same as before: a repeat, unless it was put back after it was withdrawn.
  return tariff.withdrawn && atMs > Math.max(tariff.withdrawnAtMs, seenAtMs);
}

/** The version in force at an instant: the last one taken by then, unless it was withdrawn. */
export function versionAt(events: readonly TariffTurn[], atMs: number): TariffPublished | undefined {
  return versionsUpTo(events, atMs)[0];
}

/** The same, and those that were in force before it, the newest first, back to the last withdrawal. */
export function versionsUpTo(events: readonly TariffTurn[], atMs: number): TariffPublished[] {
  let found: TariffPublished[] = [];
  for (const event of events) {
    if (event.atMs > atMs) break;
    if (event.type === 'TariffPublished') found.push(event);
    else found = [];
  }
  return found.reverse();
}

import { Rejected } from '#decider';
import { type EventStore, NO_POSITION } from '#event-store';
import type { Log } from '#telemetry';
import type { Following } from './follow.ts';

export interface ProjectionState {
  readonly name: string;
  readonly position: bigint;
  readonly logPosition: bigint;
  readonly rebuildable: boolean;
}

/** The followers of the log by their names: how far they are, and making them anew. */
export class Projections {
  constructor(
    private readonly store: EventStore,
    private readonly followings: readonly Following[],
    private readonly log: Log,
  ) {}

  async list(): Promise<ProjectionState[]> {
    const logPosition = (await this.store.last())?.position ?? NO_POSITION;
    return Promise.all(
      this.followings.map(async (following) => ({
        name: following.name,
        rebuildable: following.isRebuildable,
        position: await following.position(),
        logPosition,
      })),
    );
  }

  /**
   * Begins to make one anew, which may take minutes. Throws Rejected for a name that is none, or of
   * rows that are the ledger's own.
   */
  async rebuild(name: string): Promise<ProjectionState> {
    const following = this.followings.find((one) => one.name === name);
    if (!following?.isRebuildable) {
      const known = this.followings.filter(({ isRebuildable }) => isRebuildable).map((one) => one.name);
      throw new Rejected('unknown-projection', `name: may be ${known.join(', ')}`);
    }
    void following.rebuild().then(
      () => this.log.info('a projection was made anew', { name }),
      (error: unknown) => this.log.error('a projection was not made anew; the old one serves on', { name, error }),
    );
    return (await this.list()).find((one) => one.name === name)!;
  }
}

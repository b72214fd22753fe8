import { Rejected } from '#decider';
import { type EventStore, NO_POSITION } from '#event-store';
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

  /** Throws Rejected for a name that is none, or of rows that are the ledger's own. */
  async rebuild(name: string): Promise<ProjectionState> {
    const following = this.followings.find((one) => one.name === name);
    if (!following?.isRebuildable) {
      const known = this.followings.filter(({ isRebuildable }) => isRebuildable).map((one) => one.name);
      throw new Rejected('unknown-projection', `name: may be ${known.join(', ')}`);
    }
    await following.rebuild();
    return (await this.list()).find((one) => one.name === name)!;
  }
}

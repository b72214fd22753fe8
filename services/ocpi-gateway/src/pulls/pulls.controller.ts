import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import { type ListDifferences, listDifferences, type PullPartner, pullPartner } from '#contracts/ocpi-gateway';
import { Rejected } from '#decider';
import { Pulling } from './pulling.ts';

const DIFFERENCES_MAX = 1_000;

@Controller()
export class PullsController {
  constructor(@Inject(Pulling) private readonly pulling: Pulling | null) {}

  @Answers(pullPartner)
  pull(requests: PullPartner[]) {
    return each(requests, async ({ partnerId, full }) => {
      await this.there().byOperator(partnerId, full);
      return {};
    });
  }

  @Answers(listDifferences)
  list(requests: ListDifferences[]) {
    return each(requests, async ({ partnerId, limit }) => {
      const { pulls, differences } = await this.there().report(partnerId, Math.min(limit, DIFFERENCES_MAX));
      return {
        pulls: pulls.map(({ of, endedAt, module, full, objects, differences: found, error }) => ({
          module, full, objects, differences: found, error,
          ...(of === '' ? {} : { party: of }), ...(endedAt === undefined ? {} : { endedAt }),
        })),
        differences: differences.map(({ objectKey: objectId, ...rest }) => ({ objectId, ...rest })),
      };
    });
  }

  private there(): Pulling {
    if (!this.pulling) throw new Rejected('not-registered', 'a hub keeps nothing that it could pull');
    return this.pulling;
  }
}

import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import { type ExplainPlan, explainPlan } from '#contracts/evems-controller';
import { EvemsController } from './evems-controller.ts';

@Controller()
export class AskController {
  constructor(@Inject(EvemsController) private readonly evems: EvemsController) {}

  @Answers(explainPlan)
  explainPlan(requests: ExplainPlan[]) {
    return each(requests, async ({ siteId }) => {
      const { site, exposedMa, limits, ownerEpoch } = await this.evems.explain(siteId);
      const { name, limitMa } = site.feeder;
      return { siteId, feeder: name, limitMa, exposedMa, limits: [...limits], ownerEpoch };
    });
  }
}

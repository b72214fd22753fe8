import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import {
  type ClearChargingProfile, clearChargingProfile, type ExplainPlan, explainPlan, type GetActiveProfile, getActiveProfile,
  type SetChargingProfile, setChargingProfile,
} from '#contracts/evems-controller';
import { EvemsController } from './evems-controller.ts';
import { profileAhead, profileIn } from './profile-told.ts';
import { Profiles } from './profiles.ts';

@Controller()
export class AskController {
  constructor(
    @Inject(EvemsController) private readonly evems: EvemsController,
    @Inject(Profiles) private readonly profiles: Profiles,
  ) {}

  @Answers(explainPlan)
  explainPlan(requests: ExplainPlan[]) {
    return each(requests, async ({ siteId }) => {
      const { site, exposedMa, limits, ownerEpoch } = await this.evems.explain(siteId);
      const { name, limitMa } = site.feeder;
      return { siteId, feeder: name, limitMa, exposedMa, limits: [...limits], ownerEpoch };
    });
  }

  @Answers(setChargingProfile)
  setProfile(requests: SetChargingProfile[]) {
    return each(requests, async ({ profile, wattsPerAmp, orderId, sessionId, timeoutS, by, ...place }) => {
      await this.profiles.set(place, { ...profileIn(profile!, wattsPerAmp, by), orderId, sessionId, timeoutS });
      return { found: true };
    });
  }

  @Answers(clearChargingProfile)
  clearProfile(requests: ClearChargingProfile[]) {
    return each(requests, async ({ orderId, by, ...place }) => ({ found: await this.profiles.clear(place, orderId, by) }));
  }

  @Answers(getActiveProfile)
  activeProfile(requests: GetActiveProfile[]) {
    return each(requests, async ({ wattsPerAmp, ...place }) => {
      const { setBy, ahead } = await this.profiles.active(place);
      return {
        ...(ahead ? { profile: profileAhead(ahead.steps, { unit: ahead.unit, wattsPerAmp: Number(wattsPerAmp) }) } : {}),
        ...(setBy === undefined ? {} : { setBy }),
      };
    });
  }
}

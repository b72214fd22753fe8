import { Controller, Inject } from '@nestjs/common';
import { Answers, type Asked, each } from '#bus';
import {
  agreementJson, agreementOf, type GetAgreement, getAgreement, type SetAgreement, setAgreement,
} from '#contracts/agreements';
import type { AgreementTerms } from '#settlement';
import type { AgreementSet } from './agreement.ts';
import { Agreements } from './agreements.ts';
import { fromBus } from './partner.ts';

@Controller()
export class AgreementsController {
  constructor(@Inject(Agreements) private readonly agreements: Agreements) {}

  @Answers(setAgreement)
  set(requests: SetAgreement[], { commandIds }: Asked) {
    return each(requests, async ({ partner, agreement }, n) => {
      const terms = agreementJson(agreement!) as unknown as AgreementTerms;
      return view(await this.agreements.set(commandIds[n] || undefined, fromBus(partner!), terms));
    });
  }

  @Answers(getAgreement)
  get(requests: GetAgreement[]) {
    return each(requests, async ({ partner, ownParty }) => ({
      versions: (await this.agreements.of(fromBus(partner!), ownParty && fromBus(ownParty))).map(view),
    }));
  }
}

function view({ version, terms, at }: AgreementSet) {
  return { version, agreement: agreementOf(terms), at };
}

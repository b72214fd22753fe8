import { type DynamicModule, Module } from '@nestjs/common';
import { Agreements } from './partners/agreements.ts';
import { AgreementsController } from './partners/agreements.controller.ts';
import { AskController } from './ask.controller.ts';
import { Erasing, ErasureFactsController } from '#erasure';
import { FactsController } from './facts.controller.ts';
import { OcpiGateway } from './ocpi-gateway.ts';
import { Pulling } from './pulls/pulling.ts';
import { PullsController } from './pulls/pulls.controller.ts';
import { PartnerProfiles } from './partner-profiles.ts';
import { OperatorDesk } from './partners/operator-desk.ts';
import { PartnerQuirks } from './partners/partner-quirks.ts';
import { Partners } from './partners/partners.ts';
import { Profiles } from './profiles.ts';
import { QuirksController } from './partners/quirks.controller.ts';
import { Steering } from './steering.ts';

export interface GatewayVerbs {
  readonly gateway: OcpiGateway;
  readonly partners: Partners;
  readonly desk: OperatorDesk;
  readonly agreements: Agreements;
  readonly erasing: Erasing;
  /** Not of a hub. */
  readonly pulling: Pulling | undefined;
  readonly profiles: Profiles;
  readonly partnerProfiles: PartnerProfiles;
  readonly quirks: PartnerQuirks;
  readonly steering: Steering;
}

@Module({})
export class OcpiGatewayModule {
  static with({ gateway, partners, desk, agreements, erasing, pulling, profiles, partnerProfiles, quirks, steering }: GatewayVerbs): DynamicModule {
    return {
      module: OcpiGatewayModule,
      controllers: [AskController, AgreementsController, FactsController, ErasureFactsController, PullsController, QuirksController],
      providers: [
        { provide: OcpiGateway, useValue: gateway },
        { provide: Partners, useValue: partners },
        { provide: OperatorDesk, useValue: desk },
        { provide: Agreements, useValue: agreements },
        { provide: Erasing, useValue: erasing },
        { provide: Pulling, useValue: pulling ?? null },
        { provide: Profiles, useValue: profiles },
        { provide: PartnerProfiles, useValue: partnerProfiles },
        { provide: PartnerQuirks, useValue: quirks },
        { provide: Steering, useValue: steering },
      ],
    };
  }
}

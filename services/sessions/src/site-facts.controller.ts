import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears } from '#bus';
import { type LimitAssigned, limitAssigned } from '#contracts/evems-controller';
import { Connectors } from './connectors.ts';

@Controller()
export class SiteFactsController {
  constructor(@Inject(Connectors) private readonly connectors: Connectors) {}

  @Hears(limitAssigned)
  limit(fact: LimitAssigned, heard: Heard) {
    return this.connectors.limit(fact, heard);
  }
}

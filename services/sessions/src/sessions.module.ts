import { type DynamicModule, Module } from '@nestjs/common';
import { AskController } from './ask.controller.ts';
import { Charging } from './charging.ts';
import { Commands } from './commands.ts';
import { Orders } from './orders.ts';
import { OwnFactsController } from './own-facts.controller.ts';
import { PartnerSessions } from './partner-sessions.ts';
import { Sessions } from './sessions.ts';
import { StationFactsController } from './station-facts.controller.ts';

export interface Verbs {
  readonly charging: Charging;
  readonly commands: Commands;
  readonly orders: Orders;
  readonly partnerSessions: PartnerSessions;
  readonly sessions: Sessions;
}

@Module({})
export class SessionsModule {
  static with({ charging, commands, orders, partnerSessions, sessions }: Verbs): DynamicModule {
    return {
      module: SessionsModule,
      controllers: [AskController, StationFactsController, OwnFactsController],
      providers: [
        { provide: Charging, useValue: charging },
        { provide: Commands, useValue: commands },
        { provide: Orders, useValue: orders },
        { provide: PartnerSessions, useValue: partnerSessions },
        { provide: Sessions, useValue: sessions },
      ],
    };
  }
}

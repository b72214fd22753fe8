import { Controller, Inject } from '@nestjs/common';
import { type Heard, Hears, HearsMany, type Told } from '#bus';
import {
  meterRead,
  type MeterReadSchema,
  type TransactionStarted,
  transactionStarted,
  type TransactionStopped,
  transactionStopped,
} from '#contracts/ocpp-gateway';
import { Charging } from './charging.ts';

@Controller()
export class StationFactsController {
  constructor(@Inject(Charging) private readonly charging: Charging) {}

  @Hears(transactionStarted)
  started(fact: TransactionStarted, heard: Heard) {
    return this.charging.started(fact, heard);
  }

  @HearsMany(meterRead)
  read(facts: Told<typeof MeterReadSchema>[], heard: Pick<Heard, 'tx'>) {
    return this.charging.read(facts, heard);
  }

  @Hears(transactionStopped)
  stopped(fact: TransactionStopped, heard: Heard) {
    return this.charging.stopped(fact, heard);
  }
}

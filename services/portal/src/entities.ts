import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import type { TokenSettings } from './config.ts';

export const DriverEntity = defineEntity({
  name: 'Driver',
  tableName: 'drivers',
  properties: {
    email: p.string().primary(),
    name: p.string(),
    contractId: p.string(),
    tokens: p.json<TokenSettings[]>(),
    passwordHash: p.string(),
    passwordMark: p.string(),
    active: p.boolean(),
  },
});
/** Whom a request is from. */
export type Driver = Pick<InferEntity<typeof DriverEntity>, 'email' | 'name' | 'contractId' | 'tokens'>;

export const LogInEntity = defineEntity({
  name: 'LogIn',
  tableName: 'log_ins',
  properties: {
    tokenHash: p.string().primary(),
    driver: () => p.manyToOne(DriverEntity),
    expiresAt: p.datetime(),
  },
});

export const entities = [DriverEntity, LogInEntity];

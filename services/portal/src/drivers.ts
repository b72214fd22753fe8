import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Database } from '#postgres';
import { Attempts } from './attempts.ts';
import type { DriverSettings } from './config.ts';
import { type Driver, DriverEntity, LogInEntity } from './entities.ts';
import { hashPassword, passwordFits } from './password.ts';
import { Problem } from './problem.ts';

const HOUR_MS = 3_600_000;
const TEN_MINUTES_MS = 600_000;

export interface DriversOptions {
  readonly logInHours: number;
  /** Of ROAMWATT_SECRET: what is marked with it says nothing to who has the database alone. */
  readonly markKey: Buffer;
}

/** Drivers and their log-ins. */
export class Drivers {
  private readonly byDriver = new Attempts({ most: 5, windowMs: TEN_MINUTES_MS });
  private readonly byAddress = new Attempts({ most: 200, windowMs: TEN_MINUTES_MS });

  constructor(
    private readonly orm: MikroORM,
    private readonly db: Database,
    private readonly options: DriversOptions,
  ) {}

  /** As the settings say: who is not there any more is signed out; a new password ends old log-ins. */
  async describe(described: readonly DriverSettings[]): Promise<void> {
    const em = this.orm.em.fork();
    const held = new Map((await em.find(DriverEntity, {})).map((driver) => [driver.email, driver]));
    const ended: string[] = [];
    await Promise.all(described.map(async ({ email, password, name, contract_id: contractId, tokens }) => {
      const known = held.get(email);
      held.delete(email);
      const passwordMark = this.markOf(email, password);
      const same = known?.passwordMark === passwordMark;
      if (known && !same) ended.push(email);
      const passwordHash = same ? known.passwordHash : await hashPassword(password);
      await em.fork().upsert(DriverEntity, { email, name, contractId, tokens, passwordHash, passwordMark, active: true });
    }));
    for (const { email } of held.values()) {
      ended.push(email);
      await em.nativeUpdate(DriverEntity, { email }, { active: false });
    }
    await em.nativeDelete(LogInEntity, { $or: [{ driver: { $in: ended } }, { expiresAt: { $lt: new Date() } }] });
  }

  /** A bearer token; a wrong e-mail and a wrong password are one refusal, in the same time. */
  async signIn(email: string, password: string, address: string): Promise<{ token: string; driver: Driver }> {
    const who = `${address} ${email}`;
    const waitS = this.byAddress.begin(address) || this.byDriver.begin(who);
    if (waitS > 0) {
      const detail = `too many wrong passwords; try again in ${waitS} s`;
      throw new Problem(429, 'too-many-attempts', detail, { 'retry-after': String(waitS) });
    }
    const em = this.orm.em.fork();
    const driver = await em.findOne(DriverEntity, { email, active: true });
    if (!await passwordFits(password, driver?.passwordHash) || !driver) {
      throw new Problem(401, 'wrong-email-or-password', 'no driver has this e-mail with this password');
    }
    this.byDriver.succeeded(who);
    this.byAddress.succeeded(address);
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(Date.now() + this.options.logInHours * HOUR_MS);
    await em.insert(LogInEntity, { tokenHash: hashOf(token), driver: driver.email, expiresAt });
    await em.nativeDelete(LogInEntity, { expiresAt: { $lt: new Date() } });
    return { token, driver };
  }

  /** Who presents this bearer token, if it still holds. The look-up is by the token's hash. */
  async byToken(token: string): Promise<Driver | undefined> {
    return (await this.db.query<Driver>(BY_TOKEN, [hashOf(token)])).rows[0];
  }

  /** So that a start need not weigh every driver's password again, a fifth of a second each. */
  private markOf(email: string, password: string): string {
    return createHmac('sha256', this.options.markKey).update(JSON.stringify([email, password])).digest('base64url');
  }
}

/** Every request asks this, so it is prepared and goes around the entities. */
const BY_TOKEN = {
  name: 'driver by token',
  text: `SELECT email, name, contract_id AS "contractId", tokens FROM log_ins JOIN drivers ON email = driver_email
    WHERE token_hash = $1 AND expires_at > now() AND active`,
};

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

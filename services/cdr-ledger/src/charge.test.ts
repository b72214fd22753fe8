import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, given } from '#decider';
import { Decimal, decimal, sum } from '#money';
import { splitTax } from '#taxes';
import { type BookedCharge, charge, type ChargeCommand, type ChargeEvent, refundsOf } from './charge.ts';

const at = '2022-02-01T18:22:00Z';
const cdr = { country_code: 'CA', party_id: 'BCT', id: 'R-1' };
const about = { ledger: 'CA*CPK/accounts', accountId: 'a1', cdr, at };
const charged: BookedCharge = {
  ...about,
  startedAt: '2022-02-01T17:00:00Z',
  energyKwh: '6',
  cdrExclVat: '2.94',
  plan: { planId: 'plus', name: 'Plus', from: '2022-01-01T00:00:00Z', terms: { kind: 'mark-up', percent: '5', tax: 'of-place' } },
  price: { currency: 'CAD', exclVat: '3.09', inclVat: '3.24', payable: '3.24', steps: [] },
};
const book = { ...charged, type: 'BookCharge', hold: false } as const;
const booked: ChargeEvent = { ...charged, type: 'ChargeBooked' };
const held: ChargeEvent = { ...charged, type: 'ChargeHeld' };
const credit = { ...about, type: 'CreditCharge', creditCdrId: 'R-1-C', creditedExclVat: '2.94' } as const;
const { type: _, ...credited } = credit;
const refunded: ChargeEvent = {
  ...credited, type: 'ChargeRefunded', currency: 'CAD', exclVat: '-3.09', inclVat: '-3.24', payable: '-3.24',
};

describe('a charge', () => {
  test('is booked once, whatever it would cost by now', () => {
    given(charge).when(book).then(booked);
    given(charge, booked).when({ ...book, price: { ...charged.price, payable: '99' } }).thenNothing();
  });

  test('is refunded by its Credit CDR in full, and once', () => {
    given(charge, booked).when(credit).then(refunded);
    given(charge, booked, refunded).when(credit).thenNothing();
    given(charge, booked, refunded).when({ ...credit, creditCdrId: 'AGAIN' }).thenNothing();
    given(charge, booked, refunded).when(book).thenNothing();
  });

  test('is refunded by the share that a Credit CDR takes back', () => {
    given(charge, booked).when({ ...credit, creditedExclVat: '1.47' }).then({
      ...refunded, creditedExclVat: '1.47', exclVat: '-1.55', inclVat: '-1.62', payable: '-1.62',
    } as ChargeEvent);
  });

  test('is refunded by each Credit CDR that takes back a part, to the cent what it cost where they take back all', () => {
    const third = (creditCdrId: string, creditedExclVat: string) => ({ ...credit, creditCdrId, creditedExclVat });
    const paidBack = (id: string, creditedExclVat: string, exclVat: string, inclVat: string): ChargeEvent => ({
      ...credited, creditCdrId: id, creditedExclVat, type: 'ChargeRefunded', currency: 'CAD', exclVat, inclVat, payable: inclVat,
    });
    const first = paidBack('A', '1', '-1.05', '-1.1');
    const second = paidBack('B', '1', '-1.05', '-1.1');
    const last = paidBack('C', '0.94', '-0.99', '-1.04');
    given(charge, booked).when(third('A', '1')).then(first);
    given(charge, booked, first).when(third('B', '1')).then(second);
    given(charge, booked, first, second).when(third('C', '0.94')).then(last);
    given(charge, booked, first, second, last).when(third('D', '1')).thenNothing();
    given(charge, booked, first, second).when(third('a', '1')).thenNothing();
    const forestalled = (id: string, creditedExclVat: string): ChargeEvent =>
      ({ ...credited, creditCdrId: id, creditedExclVat, type: 'ChargeForestalled' });
    given(charge, forestalled('A', '1')).when(third('B', '1')).then(forestalled('B', '1'));
    given(charge, forestalled('A', '1'), forestalled('B', '1'), forestalled('C', '0.94'), forestalled('D', '1'))
      .when(book).then(booked, first, second, last);
    given(charge, held, forestalled('A', '1'), forestalled('B', '1')).when({ type: 'ReleaseCharge', at }).then(booked, first, second);
  });

  test('whose flagged CDRs are held is refunded by each Credit CDR, but for one that takes back more than is left: that waits until it is released', () => {
    const part = (creditCdrId: string, creditedExclVat: string) => ({ ...credit, creditCdrId, creditedExclVat, hold: true });
    const waits = (creditCdrId: string, creditedExclVat: string): ChargeEvent =>
      ({ ...credited, creditCdrId, creditedExclVat, type: 'ChargeForestalled' });
    const paid = (creditCdrId: string, creditedExclVat: string, exclVat: string, inclVat: string): ChargeEvent => ({
      ...credited, creditCdrId, creditedExclVat, type: 'ChargeRefunded', currency: 'CAD', exclVat, inclVat, payable: inclVat,
    });
    const first = paid('A', '1', '-1.05', '-1.1');
    given(charge, booked).when(part('A', '1')).then(first);
    given(charge, booked, first).when(part('B', '1')).then(paid('B', '1', '-1.05', '-1.1'));
    given(charge, booked, first).when(part('B', '1.95')).then(paid('B', '1.95', '-2.04', '-2.14'));
    given(charge, booked, first).when(part('B', '1.96')).then(waits('B', '1.96'));
    given(charge, booked, first, waits('B', '2')).when(part('b', '2')).thenNothing();
    given(charge, booked, first, waits('B', '2')).when(part('C', '1')).then(paid('C', '1', '-1.05', '-1.1'));
    given(charge, booked, first, waits('B', '2'), waits('C', '5')).when({ type: 'ReleaseCharge', at })
      .then(paid('B', '2', '-2.04', '-2.14'));
    given(charge, booked, first, waits('B', '1'), waits('C', '5')).when({ type: 'ReleaseCharge', at })
      .then(paid('B', '1', '-1.05', '-1.1'), paid('C', '5', '-0.99', '-1.04'));
    given(charge, booked, first, waits('B', '1'), paid('B', '1', '-1.05', '-1.1')).when({ type: 'ReleaseCharge', at }).thenNothing();
    given(charge, booked, refunded).when(part('B', '1')).thenNothing();
  });

  test('is refunded in full where only what rounding makes of it is not credited, as the session is then taken back', () => {
    const cent = { ...charged, cdrExclVat: '0.01' };
    given(charge, booked).when({ ...credit, creditedExclVat: '2.93' }).then({ ...refunded, creditedExclVat: '2.93' } as ChargeEvent);
    given(charge, booked).when({ ...credit, creditedExclVat: '2.92' })
      .then({ ...refunded, creditedExclVat: '2.92', exclVat: '-3.07', inclVat: '-3.22', payable: '-3.22' } as ChargeEvent);
    given(charge, { ...cent, type: 'ChargeBooked' }).when({ ...credit, creditedExclVat: '0' })
      .then({ ...refunded, creditedExclVat: '0', exclVat: '0', inclVat: '0', payable: '0' } as ChargeEvent);
  });

  test('is refunded in full where its Credit CDRs take back all as they are settled, each rounded, or as they are told', () => {
    const credits = (amount: string, times: number) => Array.from({ length: times }, (_, n) => ({ ...credit, creditCdrId: `C${n}`, creditedExclVat: amount }));
    const back = (cdrExclVat: string, amount: string, times: number) =>
      sum(refundsOf({ ...charged, cdrExclVat }, credits(amount, times)).map(({ payable }) => decimal(payable))).toString();
    expect([back('3', '0.996', 3), back('0.004', '0', 1), back('0.025', '0.005', 5)]).toEqual(['-3.24', '-3.24', '-3.24']);
  });

  test('is not refunded by a Credit CDR in another currency, whenever that comes: that takes back something else', () => {
    const yen = { ...credit, creditCdrId: 'YEN', currency: 'JPY' };
    const { type: _type, ...of } = yen;
    const forestalled: ChargeEvent = { ...of, type: 'ChargeForestalled' };
    given(charge, booked).when(yen).thenNothing();
    given(charge, held).when(yen).thenNothing();
    given(charge).when(yen).then(forestalled);
    given(charge, forestalled).when(book).then(booked);
    given(charge, forestalled).when({ ...book, hold: true }).then(held);
    given(charge, forestalled, held).when({ type: 'ReleaseCharge', at }).then(booked);
    given(charge, forestalled, held).when({ ...credit, creditedExclVat: '1.47' })
      .then({ ...credited, creditedExclVat: '1.47', type: 'ChargeForestalled' });
    given(charge, booked).when({ ...credit, currency: 'CAD' }).then(refunded);
  });

  test('that a former release booked in small letters, as its partner writes the currency, is refunded as any other', () => {
    const small: ChargeEvent = { ...charged, type: 'ChargeBooked', price: { ...charged.price, currency: 'cad' } };
    given(charge, small).when({ ...credit, currency: 'CAD' }).then({ ...refunded, currency: 'cad' } as ChargeEvent);
    given(charge, small).when({ ...credit, currency: 'JPY' }).thenNothing();
  });

  test('is refunded by the tax that a Credit CDR takes back alone, where the plan passes it on', () => {
    const steps = [{ what: 'charge' as const, exclVat: '2.94', inclVat: '3.087' }];
    const passed = { ...charged.price, exclVat: '2.94', inclVat: '3.09', payable: '3.09', steps };
    const marked = { ...charged.price, steps: [...steps, { what: 'percent' as const, exclVat: '0.15' }] };
    const ofTax = { ...credit, creditCdrId: 'TAX', creditedExclVat: '0', creditedTax: '0.15' };
    const { type: _type, ...of } = ofTax;
    const back = (exclVat: string, inclVat: string) =>
      ({ ...of, type: 'ChargeRefunded', currency: 'CAD', exclVat, inclVat, payable: inclVat }) as ChargeEvent;
    for (const price of [passed, marked]) given(charge, { ...booked, price }).when(ofTax).then(back('0', '-0.15'));
    given(charge, booked).when(ofTax).then(back('0', '0'));
    // Half of the price without its tax, and then all.
    const half = { ...ofTax, creditCdrId: 'HALF', creditedExclVat: '1.47', creditedTax: '0' };
    given(charge, { ...booked, price: passed }, back('0', '-0.15')).when(half)
      .then({ ...back('-1.47', '-1.47'), creditCdrId: 'HALF', creditedExclVat: '1.47', creditedTax: '0' } as ChargeEvent);
    given(charge, { ...booked, price: passed }, back('0', '-0.15')).when({ ...credit, creditedTax: '0.15' })
      .then({ ...back('-2.94', '-2.94'), creditCdrId: 'R-1-C', creditedExclVat: '2.94' } as ChargeEvent);
  });

  test('is not refunded its tax twice where one Credit CDR tells none and another all of it', () => {
    const steps = [{ what: 'charge' as const, exclVat: '2.94', inclVat: '3.087' }];
    const price = { ...charged.price, exclVat: '2.94', inclVat: '3.09', payable: '3.09', steps };
    const nearlyAll = { ...credit, creditCdrId: 'NEARLY', creditedExclVat: '2.92' };
    const ofTax = { ...credit, creditCdrId: 'TAX', creditedExclVat: '0', creditedTax: '0.147' };
    const refunds = refundsOf({ ...booked, price }, [nearlyAll, ofTax]);
    expect(refunds.map(({ payable }) => payable)).toEqual(['-3.07', '0']);
  });

  test('is never refunded by more than it cost', () => {
    given(charge, booked).when({ ...credit, creditedExclVat: '29.4' })
      .then({ ...refunded, creditedExclVat: '29.4' } as ChargeEvent);
  });

  test('whose credit comes first is booked and refunded at once', () => {
    const forestalled: ChargeEvent = { ...credited, type: 'ChargeForestalled' };
    given(charge).when(credit).then(forestalled);
    given(charge, forestalled).when(credit).thenNothing();
    given(charge, forestalled).when(book).then(booked, refunded);
  });

  test('that is held comes on the account when it is released, and never when it is credited', () => {
    const cancelled: ChargeEvent = { ...credited, type: 'ChargeForestalled' };
    given(charge).when({ ...book, hold: true }).then(held);
    given(charge, held).when(book).thenNothing();
    given(charge, held).when({ type: 'ReleaseCharge', at }).then(booked);
    given(charge, held).when(credit).then(cancelled);
    given(charge, held, cancelled).when({ type: 'ReleaseCharge', at }).thenNothing();
    given(charge).when({ type: 'ReleaseCharge', at }).thenRejected('unknown-charge');
  });

  test('that is held and credited in part stays held, and comes on the account with that part paid back', () => {
    const part = { ...credit, creditedExclVat: '1.47' };
    const forestalled: ChargeEvent = { ...credited, creditedExclVat: '1.47', type: 'ChargeForestalled' };
    const paidBack = { ...refunded, creditedExclVat: '1.47', exclVat: '-1.55', inclVat: '-1.62', payable: '-1.62' } as ChargeEvent;
    given(charge, held).when(part).then(forestalled);
    given(charge, held, forestalled).when(part).thenNothing();
    given(charge, held, forestalled).when({ ...credit, creditCdrId: 'AGAIN' })
      .then({ ...credited, creditCdrId: 'AGAIN', type: 'ChargeForestalled' });
    given(charge, held, forestalled).when({ type: 'ReleaseCharge', at }).then(booked, paidBack);
    given(charge, held, forestalled, booked, paidBack).when({ type: 'ReleaseCharge', at }).thenNothing();
  });

  test('that is odd and was credited in part before it came is held, too', () => {
    const part = { ...credited, creditedExclVat: '1.47' };
    const forestalled: ChargeEvent = { ...part, type: 'ChargeForestalled' };
    given(charge, forestalled).when({ ...book, hold: true }).then(held);
    given(charge, forestalled, held).when({ type: 'ReleaseCharge', at }).then(booked, {
      ...refunded, creditedExclVat: '1.47', exclVat: '-1.55', inclVat: '-1.62', payable: '-1.62',
    } as ChargeEvent);
  });
});

const commands: fc.Arbitrary<ChargeCommand> = fc.oneof(
  fc.boolean().map((hold): ChargeCommand => ({ ...book, hold })),
  fc.constant<ChargeCommand>({ type: 'ReleaseCharge', at }),
  fc.record({ id: fc.constantFrom('C1', 'C2', 'C3'), share: fc.integer({ min: 0, max: 400 }) }).map(
    ({ id, share }): ChargeCommand => ({ ...credit, creditCdrId: id, creditedExclVat: decimal(share).shift(-2).toString() })),
);

test('any command repeated at any later point yields no second event, and the driver is never paid more than was charged', () => {
  fc.assert(
    fc.property(fc.array(commands, { maxLength: 12 }), fc.nat(), (ordered, i) => {
      const log: ChargeEvent[] = [];
      const done: ChargeCommand[] = [];
      const order = (command: ChargeCommand) => {
        const state = fold(charge, log);
        const isEarly = state.status === 'absent' || state.status === 'forestalled';
        if (command.type === 'ReleaseCharge' && isEarly) return [];
        const events = charge.decide(command, state);
        log.push(...events);
        return events;
      };
      for (const command of ordered) if (order(command).length > 0) done.push(command);
      if (done.length > 0) expect(order(done[i % done.length]!)).toEqual([]);
      const balance = log.reduce(
        (sum, event) => (event.type === 'ChargeBooked' ? sum.sub(decimal(event.price.payable))
          : event.type === 'ChargeRefunded' ? sum.sub(decimal(event.payable)) : sum),
        Decimal.zero,
      );
      expect(balance.compare(Decimal.zero)).toBeLessThanOrEqual(0);
      expect(log.filter(({ type }) => type === 'ChargeBooked').length).toBeLessThanOrEqual(1);
      const credits = log.flatMap((event) => (event.type === 'ChargeRefunded' ? [event.creditCdrId] : []));
      expect(new Set(credits).size).toBe(credits.length);
      const taken = sum(log.flatMap((event) => (event.type === 'ChargeRefunded' ? [decimal(event.creditedExclVat)] : [])));
      const isBooked = log.some(({ type }) => type === 'ChargeBooked');
      if (isBooked && taken.compare(decimal(charged.cdrExclVat)) >= 0) expect(balance.isZero()).toBe(true);
    }),
  );
});

test('a refund takes back the taxes that were noted with the charge, of a part of it their share', () => {
  const taxes = [{ code: 'GST', rate: '5', amount: '1.00' }, { code: 'QST', rate: '9.975', amount: '2.00' }];
  const price = { ...charged.price, exclVat: '20.00', inclVat: '23.00', payable: '23.00' };
  const booked = { ...charged, cdrExclVat: '20', price, taxes };
  const credit = (creditCdrId: string, creditedExclVat: string) => ({ ...charged, creditCdrId, creditedExclVat });
  expect(refundsOf(booked, [credit('ALL', '20')])).toMatchObject([
    { taxes: [{ code: 'GST', rate: '5', amount: '-1.00' }, { code: 'QST', rate: '9.975', amount: '-2.00' }] },
  ]);
  expect(refundsOf(booked, [credit('HALF', '10')])).toMatchObject([{ inclVat: '-11.5', taxes: [{ amount: '-0.50' }, { amount: '-1.00' }] }]);
  expect(refundsOf({ ...booked, taxes: [{ code: 'VAT', rate: '', amount: '3.00' }] }, [credit('HALF', '10')])).toMatchObject([{ taxes: [{ code: 'VAT', rate: '', amount: '-1.50' }] }]);
  const { taxes: _, ...former } = booked;
  expect(refundsOf(former, [credit('ALL', '20')])[0]).not.toHaveProperty('taxes');
});

const taxesNoted = fc.constantFrom<readonly string[]>([], ['5'], ['13'], [''], ['5', '9.975'], ['5', '7'], ['5', '6'], ['5', '9.5']);

test('of each tax exactly what was charged comes back by Credit CDRs that take back all, in whatever parts', () => {
  const parts = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(parts, fc.integer({ min: -20_000, max: 20_000 }), taxesNoted, fc.constantFrom('CAD', 'JPY'), (shares, cents, rates, currency) => {
      const digits = currency === 'JPY' ? 0 : 2;
      const amount = (minor: number | Decimal) => decimal(minor.toString()).shift(-digits);
      const rate = sum(rates.map((one) => decimal(one || '20')));
      const tax = decimal(cents).mul(rate).divide(decimal(100), 0, 'half-away-from-zero');
      const split = rates.length > 1
        ? splitTax(amount(tax), rates.map((one) => ({ rate: one })), digits).map(({ amount: its }) => its)
        : rates.map(() => amount(tax));
      const taxes = rates.map((one, n) => ({ code: `T${n}`, rate: one, amount: split[n]!.toFixed(digits) }));
      const inclVat = amount(decimal(cents).add(tax)).toString();
      const price = { currency, exclVat: amount(cents).toString(), inclVat, payable: inclVat, steps: [] };
      const asked = sum(shares.map((share) => decimal(share)));
      const booked = { ...charged, cdrExclVat: asked.shift(-2).toString(), price, taxes };
      const credits = shares.map((share, n) => ({ ...credited, creditCdrId: `C${n}`, creditedExclVat: decimal(share).shift(-2).toString() }));
      const refunds = refundsOf(booked, credits);
      const left = (n: number) => sum([decimal(taxes[n]!.amount), ...refunds.map((refund) => decimal(refund.taxes![n]!.amount))]);
      expect(taxes.map((_tax, n) => left(n).toString())).toEqual(taxes.map(() => '0'));
      for (const refund of refunds) {
        const told = decimal(refund.inclVat!).sub(decimal(refund.exclVat));
        expect(sum(refund.taxes!.map((one) => decimal(one.amount))).toString()).toBe(told.toString());
        expect(refund.taxes!.every((one) => one.amount === decimal(one.amount).toFixed(digits))).toBe(true);
      }
    }),
    { numRuns: 500, seed: 20_261_130 },
  );
});

test('three refunds of a third each take back the cent of GST and of QST that was charged', () => {
  const taxes = [{ code: 'GST', rate: '5', amount: '0.50' }, { code: 'QST', rate: '9.975', amount: '1.00' }];
  const price = { ...charged.price, exclVat: '10.00', inclVat: '11.50', payable: '11.50' };
  const thirds = ['A', 'B', 'C'].map((creditCdrId) => ({ ...credited, creditCdrId, creditedExclVat: '1' }));
  const back = refundsOf({ ...charged, cdrExclVat: '3', price, taxes }, thirds).map((refund) => refund.taxes!.map(({ amount }) => amount));
  expect(back).toEqual([['-0.17', '-0.33'], ['-0.16', '-0.34'], ['-0.17', '-0.33']]);
});

test('a refund takes back the rest of each tax also where those before it, of a former release, split theirs by themselves or noted none', () => {
  const taxes = [{ code: 'GST', rate: '5', amount: '0.50' }, { code: 'QST', rate: '9.975', amount: '1.00' }];
  const booked = { ...charged, cdrExclVat: '3', price: { ...charged.price, exclVat: '10.00', inclVat: '11.50', payable: '11.50' }, taxes };
  const third = (creditCdrId: string) => ({ ...credited, creditCdrId, creditedExclVat: '1' });
  const before = refundsOf(booked, [third('A'), third('B')]);
  const byItself = [{ ...taxes[0]!, amount: '-0.17' }, { ...taxes[1]!, amount: '-0.33' }];
  const last = (former: typeof before) => refundsOf(booked, [third('C')], former)[0]!.taxes!.map(({ amount }) => amount);
  expect(last(before.map((refund) => ({ ...refund, taxes: byItself })))).toEqual(['-0.16', '-0.34']);
  expect(last(before.map(({ taxes: _, ...refund }) => refund))).toEqual(['-0.16', '-0.34']);
});

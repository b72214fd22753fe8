/** An exact fraction, as slow and plain as school teaches it: what the tests check money with. */
export class Ratio {
  static readonly zero = new Ratio(0n, 1n);

  readonly n: bigint;
  readonly d: bigint;

  constructor(n: bigint, d: bigint) {
    const divisor = common(n < 0n ? -n : n, d);
    this.n = n / divisor;
    this.d = d / divisor;
  }

  /** Of a number's or text's decimal digits; no exponents. */
  static of(value: number | string): Ratio {
    const [whole = '', fraction = ''] = String(value).split('.');
    return new Ratio(BigInt(whole + fraction), 10n ** BigInt(fraction.length));
  }

  plus(other: Ratio): Ratio {
    return new Ratio(this.n * other.d + other.n * this.d, this.d * other.d);
  }

  minus(other: Ratio): Ratio {
    return this.plus(new Ratio(-other.n, other.d));
  }

  times(other: Ratio): Ratio {
    return new Ratio(this.n * other.n, this.d * other.d);
  }

  over(other: Ratio): Ratio {
    const sign = other.n < 0n ? -1n : 1n;
    return new Ratio(this.n * other.d * sign, this.d * other.n * sign);
  }

  isBelow(other: Ratio): boolean {
    return this.n * other.d < other.n * this.d;
  }

  /** The least whole number that is not below this one. */
  up(): Ratio {
    const floor = this.n / this.d - (this.n % this.d < 0n ? 1n : 0n);
    return new Ratio(floor * this.d === this.n ? floor : floor + 1n, 1n);
  }

  toString(): string {
    return this.d === 1n ? `${this.n}` : `${this.n}/${this.d}`;
  }
}

function common(a: bigint, b: bigint): bigint {
  return b === 0n ? a : common(b, a % b);
}

/** The values seen last, so many of them. */
export class Recent {
  private readonly seen = new Set<string>();

  constructor(private readonly most: number) {}

  add(value: string): void {
    this.seen.delete(value);
    this.seen.add(value);
    if (this.seen.size > this.most) this.seen.delete(this.seen.values().next().value!);
  }

  delete(value: string): void {
    this.seen.delete(value);
  }

  has(value: string): boolean {
    return this.seen.has(value);
  }
}

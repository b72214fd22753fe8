type Json = Record<string, unknown>;

/** Where two objects differ, as paths. Items are matched by their ids; coordinates are compared as numbers; an empty list is none. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  if (isEmpty(a) && isEmpty(b)) return [];
  if (Array.isArray(a) && Array.isArray(b)) return listDifferences(a, b, path);
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
  }
  if (/(^|\.)(latitude|longitude)$/.test(path) && Number(a) === Number(b)) return [];
  return a === b ? [] : [path];
}

function listDifferences(a: readonly unknown[], b: readonly unknown[], path: string): string[] {
  const keyed = a.every((item) => keyOf(item) !== undefined);
  if (!keyed && a.length !== b.length) return [path];
  return a.flatMap((item, i) => {
    const other = keyed ? b.find((one) => keyOf(one) === keyOf(item)) : b[i];
    return other === undefined ? [`${path}[${i}]`] : differences(item, other, `${path}[${i}]`);
  });
}

function keyOf(item: unknown): unknown {
  return isObject(item) ? item.uid ?? item.id : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Whether what differs at a path was named: the field, what it is in, or something in it. */
export function isNamed(path: string, lost: readonly string[]): boolean {
  return lost.some((each) => {
    const named = each.slice(0, each.indexOf(': '));
    return within(path, named) || within(named, path);
  });
}

function within(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}

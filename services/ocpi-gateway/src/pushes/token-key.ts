/** A token's id within its module: a uid may be of several types. */
export function tokenKey({ type, uid }: { readonly type: string; readonly uid: string }): string {
  return `${type} ${uid}`;
}

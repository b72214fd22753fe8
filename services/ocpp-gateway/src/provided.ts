/** Names under which the module provides what is no class. */
export const DATABASE = Symbol('database');
export const JOURNAL = Symbol('journal');

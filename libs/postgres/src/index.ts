export { bigintArray, byteaArray, intArray, textArray, uuidArray } from './arrays.ts';
export { type Database, type Queryable, type Rows, type Statement, type Tx, type TxOptions } from './database.ts';
export { DatabaseFailure, type FailureName } from './failure.ts';
export { type Migration, type MigrationList, type MigrationPlace } from './migrate.ts';
export { type DatabaseOptions, openDatabase } from './open.ts';
export { openOrm, type OrmOptions } from './orm.ts';
export { together } from './together.ts';
export { type ObjectPage, pageByCreation, type PagedTable, type PageRequest } from './page.ts';
export { timeUuid } from './time-uuid.ts';

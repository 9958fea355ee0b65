// Ids as TypeIDs: a prefix that says what they name, and a UUIDv7 that sorts by time.

import { typeidUnboxed } from 'typeid-js';
import type { Ids } from '#application/ports/system.ts';
import type { Id, IdPrefix } from '#domain/shared/ids.ts';

export const typeIds: Ids = {
  next: <Prefix extends IdPrefix>(prefix: Prefix) => typeidUnboxed(prefix) as string as Id<Prefix>,
};

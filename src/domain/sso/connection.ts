// A connection: one SSO link between an organization and its own identity provider. We only follow what the provider reports of it.

import type { OrganizationId } from '#domain/shared/ids.ts';

export interface Connection {
  /** The provider's id for it. */
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly name: string;
  /** The provider's word for the kind, such as `OktaSAML`; open, since lists grow. */
  readonly type: string;
  readonly state: 'active' | 'inactive' | 'deleted';
  readonly asOf: Date;
}

/**
 * The newer word counts; a deletion is final. Returns the same object when this was no news. The same word said later is
 * news, if only of its time: otherwise an older one that comes late could undo it.
 */
export const hearConnection = (known: Connection | undefined, heard: Connection): Connection => {
  if (!known) return heard;
  if (known.state === 'deleted' || heard.asOf < known.asOf) return known;
  return JSON.stringify({ ...known, ...heard }) === JSON.stringify(known) ? known : heard;
};

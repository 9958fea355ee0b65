// What a directory can say. Translated from the provider's wire; nothing here knows which provider said it.

export interface DirectoryPerson {
  readonly id: string;
  /** The customer's own id for the person; survives deletion and re-creation under a new `id`. */
  readonly idpId: string | null;
  /** Null while the customer's directory maps no address (seen with Entra ID). */
  readonly email: string | null;
  readonly name: string | null;
  /** Only `active` is access. `inactive`, `suspended` and words not invented yet all mean none. */
  readonly state: string;
  /** When the person's record last changed at the provider. */
  readonly updatedAt: Date;
}

export interface DirectoryGroupFacts {
  readonly id: string;
  readonly name: string;
  readonly updatedAt: Date;
}

interface Said {
  /** The provider's event id. Breaks ties between events of the same instant, so that every order ends alike. */
  readonly id: string;
  readonly directoryId: string;
  readonly at: Date;
}

export type DirectoryEvent = Said &
  (
    | { readonly kind: 'directory.connected'; readonly name: string; readonly type: string }
    | { readonly kind: 'directory.disconnected' }
    | { readonly kind: 'user.created' | 'user.updated' | 'user.deleted'; readonly user: DirectoryPerson }
    | { readonly kind: 'group.created' | 'group.updated' | 'group.deleted'; readonly group: DirectoryGroupFacts }
    | {
        readonly kind: 'group.member_added' | 'group.member_removed';
        readonly user: DirectoryPerson;
        readonly group: DirectoryGroupFacts;
      }
  );

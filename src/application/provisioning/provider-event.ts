// What an identity provider may tell us, in our words. Adapters translate into this; one use case applies it.

import type { DirectoryEvent } from '#domain/provisioning/directory-event.ts';
import type { CertificateNews } from '#domain/sso/connection.ts';

/** Directory events are about an organization by the provider's name; the use case finds ours. */
export type ProviderEvent =
  | { readonly about: 'directory'; readonly organization: string | null; readonly event: DirectoryEvent }
  | {
      readonly about: 'user';
      readonly what: 'created' | 'updated' | 'deleted';
      readonly subject: string;
      readonly email: string;
      readonly emailVerified: boolean;
      readonly name: string | null;
      readonly at: Date;
    }
  | {
      readonly about: 'organization';
      readonly what: 'created' | 'updated' | 'deleted';
      readonly organization: string;
      readonly name: string;
      /** Our own id, where the provider keeps it for us. */
      readonly externalId: string | null;
      readonly domains: readonly { readonly name: string; readonly state: 'pending' | 'verified' | 'failed' }[];
      readonly at: Date;
    }
  | {
      readonly about: 'domain';
      readonly organization: string;
      readonly name: string;
      readonly state: 'pending' | 'verified' | 'failed' | 'deleted';
      readonly at: Date;
    }
  | {
      readonly about: 'membership';
      readonly organization: string;
      readonly subject: string;
      /** Every status but `active` is the end of access; a deletion too. */
      readonly status: 'active' | 'pending' | 'ended';
      /** The provider's role word; ours if we know it, ignored otherwise. */
      readonly role: string | null;
      readonly directoryManaged: boolean;
      readonly at: Date;
    }
  | {
      readonly about: 'invitation';
      readonly what: 'sent' | 'accepted' | 'revoked';
      /** The provider's name of it. */
      readonly id: string;
      /** Null: to the application, and to no organization. */
      readonly organization: string | null;
      readonly email: string;
      /** Who accepted it. */
      readonly acceptedBy: string | null;
      readonly at: Date;
    }
  | { readonly about: 'session'; readonly what: 'ended'; readonly providerSession: string; readonly at: Date }
  | {
      readonly about: 'connection';
      readonly organization: string;
      readonly id: string;
      readonly name: string;
      readonly type: string;
      readonly state: 'active' | 'inactive' | 'deleted';
      readonly at: Date;
    }
  /** A certificate of a connection runs out soon, or has been replaced. */
  | {
      readonly about: 'connection';
      readonly organization: string;
      readonly id: string;
      readonly certificate: Omit<CertificateNews, 'at'>;
      readonly at: Date;
    }
  /** Authentic, stored, and without consequence: a name we do not follow, or a shape we cannot read. */
  | { readonly about: 'nothing'; readonly because: string };

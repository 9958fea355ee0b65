// A connection: one SSO link between an organization and its own identity provider. We only follow what the provider reports of it, and what a test of it showed.

import type { SignInMethod } from '#domain/sessions/session.ts';
import type { OrganizationId, UserId } from '#domain/shared/ids.ts';
import { parseEmail } from '#domain/users/email.ts';

export interface Connection {
  /** The provider's id for it. */
  readonly id: string;
  readonly organizationId: OrganizationId;
  readonly name: string;
  /** The provider's word for the kind, such as `OktaSAML`; open, since lists grow. */
  readonly type: string;
  readonly state: 'active' | 'inactive' | 'deleted';
  readonly asOf: Date;
  /** Those that the provider ever spoke of, by kind; it speaks only when one runs out or has been replaced. */
  readonly certificates: readonly Certificate[];
  readonly lastTest: ConnectionTest | null;
}

/** What the provider reports of a connection; all else in the record is ours to keep. */
export type ReportedConnection = Pick<Connection, 'id' | 'organizationId' | 'name' | 'type' | 'state' | 'asOf'>;

/** A certificate of the customer's identity provider (SAML). When it runs out, nobody signs in through the connection. */
export interface Certificate {
  /** The provider's word for what it is for, such as `ResponseSigning`; open. */
  readonly kind: string;
  /** Null when the provider did not say. */
  readonly expiresAt: Date | null;
  /** Since when we are warned of its end; null when it has been renewed since. */
  readonly warnedAt: Date | null;
  readonly asOf: Date;
}

/** What an identity needs besides the proof, for the person to be let in and to be shown. */
export type MissingAttribute = 'verified_email' | 'name';

/** How the last test sign-in went. It grants nothing to anybody. */
export interface ConnectionTest {
  readonly at: Date;
  /** The admin who made it. */
  readonly by: UserId;
  readonly outcome: 'ok' | 'failed';
  /** Why it failed, in the provider's word or ours; null when it did not. */
  readonly error: string | null;
  /** Who came back; null when nobody did, or nobody of this organization. */
  readonly email: string | null;
  readonly missing: readonly MissingAttribute[];
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/**
 * The newer word counts; a deletion is final. Returns the same object when this was no news. The same word said later is
 * news, if only of its time: otherwise an older one that comes late could undo it.
 */
export const hearConnection = (known: Connection | undefined, heard: ReportedConnection): Connection => {
  if (!known) return { ...heard, certificates: [], lastTest: null };
  if (known.state === 'deleted' || heard.asOf < known.asOf) return known;
  const connection = { ...known, ...heard };
  return isSame(connection, known) ? known : connection;
};

export interface CertificateNews {
  readonly what: 'expiring' | 'renewed';
  readonly kind: string;
  readonly expiresAt: Date | null;
  readonly at: Date;
}

/**
 * The newer word about a certificate of that kind counts; of two at the same moment, the renewal. A warning that is repeated
 * keeps the time of the first. Returns the same object when this was no news.
 */
export const hearCertificate = (known: Connection, news: CertificateNews): Connection => {
  if (known.state === 'deleted') return known;
  const { what, kind, at } = news;
  const before = known.certificates.find((certificate) => certificate.kind === kind);
  const isOlder = before && (at < before.asOf || (at.getTime() === before.asOf.getTime() && what === 'expiring'));
  if (isOlder) return known;
  const certificate: Certificate = {
    kind,
    expiresAt: news.expiresAt ?? (what === 'expiring' ? (before?.expiresAt ?? null) : null),
    warnedAt: what === 'expiring' ? (before?.warnedAt ?? at) : null,
    asOf: at,
  };
  if (isSame(certificate, before)) return known;
  const others = known.certificates.filter((one) => one.kind !== kind);
  const certificates = [...others, certificate].toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  return { ...known, certificates };
};

/** Keeps the newest test. Returns the same object when a newer one is known, or when the connection has gone meanwhile. */
export const recordTest = (known: Connection, test: ConnectionTest): Connection => {
  const isOlder = known.lastTest !== null && test.at < known.lastTest.at;
  return isOlder || known.state === 'deleted' ? known : { ...known, lastTest: test };
};

/** Who came back from a test sign-in, as far as the test is about them. */
export interface CameBack {
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string | null;
  readonly method: SignInMethod;
  /** Whether the provider signed them in to another organization than the connection's. */
  readonly elsewhere: boolean;
}

/**
 * A test is passed by somebody who came through single sign-on, to this organization or to none, with an address that the
 * provider has verified: whoever lacks that is not let in by a real sign-in either. A missing name is told and no failure.
 */
export const judgeTest = (back: CameBack): Pick<ConnectionTest, 'outcome' | 'error' | 'email' | 'missing'> => {
  const failed = (error: string, email: string | null, missing: readonly MissingAttribute[] = []) =>
    ({ outcome: 'failed', error, email, missing }) as const;
  // Nothing about somebody of another organization reaches the admins of this one.
  if (back.elsewhere) return failed('another_organization', null);
  if (back.method !== 'sso') return failed('not_single_sign_on', null);
  const isReachable = back.emailVerified && parseEmail(back.email) !== undefined;
  const missing: MissingAttribute[] = [
    ...(isReachable ? [] : (['verified_email'] as const)),
    ...(back.name === null ? (['name'] as const) : []),
  ];
  if (!isReachable) return failed('email_unverified', back.email || null, missing);
  return { outcome: 'ok', error: null, email: back.email, missing };
};

/** A test from which nobody came back. */
export const failedTest = (error: string): Pick<ConnectionTest, 'outcome' | 'error' | 'email' | 'missing'> => ({
  outcome: 'failed',
  error,
  email: null,
  missing: [],
});

// The signature of a delivery: who may send, and when.

import { createHmac } from 'node:crypto';
import { WorkOS } from '@workos-inc/node';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signatureHeader, verifySignature } from '#adapters/identity/wire/signature.ts';
import { bytes, signed } from '../../support/workos-payloads.ts';

const now = new Date('2026-11-20T15:00:00.000Z');
const unverified = expect.objectContaining({ reason: 'delivery.unverified' });
const { webhooks } = new WorkOS({ clientId: 'judge' });

describe('a signature header', () => {
  it('is the HMAC of time, dot and bytes, as the published scheme says', () => {
    const body = bytes('{"id":"event_1"}');
    const expected = createHmac('sha256', 's3cret').update(`${now.getTime()}.{"id":"event_1"}`).digest('hex');
    expect(signatureHeader(body, 's3cret', now)).toBe(`t=${now.getTime()}, v1=${expected}`);
  });

  it('does not get by with an empty secret, which anybody has', () => {
    const body = bytes('{}');
    const header = `t=${now.getTime()}, v1=${createHmac('sha256', '').update(`${now.getTime()}.{}`).digest('hex')}`;
    expect(() => verifySignature({ body, header, secrets: [''], now })).toThrow(unverified);
  });

  it('obeys the time window that it is given', () => {
    const body = bytes('{}');
    const header = signatureHeader(body, 's3cret', now);
    const judgedAt = (ms: number) => () =>
      verifySignature({
        body,
        header,
        secrets: ['s3cret'],
        now: new Date(now.getTime() + ms),
        toleranceMs: 1000,
        futureMs: 500,
      });
    expect(judgedAt(1000)).not.toThrow();
    expect(judgedAt(1001)).toThrow(unverified);
    expect(judgedAt(-500)).not.toThrow();
    expect(judgedAt(-501)).toThrow(unverified);
  });
});

describe('our signature and that of the SDK', () => {
  const body = fc.string({ unit: 'binary' }).map((text) => bytes(text));
  const secret = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed());

  it('are the same for every text and secret', async () => {
    await fc.assert(
      fc.asyncProperty(body, secret, async (content, key) => {
        expect(signatureHeader(content, key, now)).toBe((await signed(content, key, now)).signature);
      }),
    );
  });

  it('give the same verdict on any header that was damaged on the way', async () => {
    const fragment = fc.string({ unit: fc.constantFrom(' ', ',', '=', '\n', '0', 'a', 't', 'é'), maxLength: 2 });
    const damage = fc.oneof(
      fc.constant((header: string) => header),
      fc.tuple(fc.nat(90), fragment, fc.nat(1)).map(([at, text, lost]) => (header: string) => {
        return header.slice(0, at) + text + header.slice(at + lost);
      }),
      fc.nat(90).map((length) => (header: string) => header.slice(0, length)),
      fc.constant((header: string) => header.toUpperCase()),
      fc.constant((header: string) => header.split(', ').reverse().join(', ')),
    );
    const seen = { accepted: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(body, damage, fc.constantFrom('s3cret', 'another'), async (content, damaged, key) => {
        const header = damaged(signatureHeader(content, key, now));
        const ours = ((): boolean => {
          try {
            verifySignature({ body: content, header, secrets: ['s3cret'], now });
            return true;
          } catch {
            return false;
          }
        })();
        const theirs = await webhooks
          .verifyHeader({
            payload: content,
            sigHeader: header,
            secret: 's3cret',
            tolerance: Date.now() - now.getTime() + 180_000,
          })
          .catch(() => false);
        // The SDK looks neither at the names of the two fields nor behind a second `=`; there, and only there, we are stricter.
        if (/^\s*t=[^,=]*,\s*v1=[^=]*$/.test(header)) expect(ours, JSON.stringify(header)).toBe(theirs);
        else if (ours) expect(theirs).toBe(true);
        seen[ours ? 'accepted' : 'refused'] += 1;
      }),
      { numRuns: 300 },
    );
    expect(seen.accepted).toBeGreaterThan(10);
    expect(seen.refused).toBeGreaterThan(10);
  });
});

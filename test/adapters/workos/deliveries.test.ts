// A delivery from WorkOS: which ones are let in, and that nothing a stranger sends is more than refused.

import { describe, expect, it } from 'vitest';
import { signatureHeader, verifySignature } from '#adapters/identity/wire/signature.ts';
import { workosDeliveries } from '#adapters/identity/workos/deliveries.ts';
import type { Log } from '#application/ports/system.ts';
import { bytes, directoryUser, event, signed } from '../../support/workos-payloads.ts';

const now = new Date('2031-05-06T07:08:09.000Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);

interface Line {
  readonly level: string;
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

const listening = (): { log: Log; lines: Line[] } => {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (message: string, facts?: Readonly<Record<string, unknown>>): void => {
      lines.push({ level, message, facts });
    };
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
};

const world = (secrets: readonly string[] = ['s3cret'], time: Date = now) => {
  const { log, lines } = listening();
  return { lines, deliveries: workosDeliveries({ secrets, clock: { now: () => time }, log }) };
};

const hired = event('dsync.user.created', directoryUser(), { id: 'event_hired', at: later(-2000) });

const refused = { reason: 'delivery.unverified' };

describe('a delivery that WorkOS signed', () => {
  it('is heard, with its payload whole', async () => {
    const payload = { ...hired, a_field_of_tomorrow: { of: ['any', 'shape'] } };
    expect(await world().deliveries.receive(await signed(payload, 's3cret', now))).toEqual({
      id: 'event_hired',
      name: 'dsync.user.created',
      occurredAt: later(-2000),
      organization: 'org_01',
      payload,
    });
  });

  it('is heard under either secret while one replaces the other', async () => {
    const { deliveries } = world(['new s3cret', 's3cret']);
    for (const secret of ['new s3cret', 's3cret']) {
      expect(await deliveries.receive(await signed(hired, secret, now))).toMatchObject({ id: 'event_hired' });
    }
  });

  it('is judged by our clock and not by that of the machine', async () => {
    const longAgo = new Date('2020-01-01T00:00:00.000Z');
    const { deliveries } = world(['s3cret'], longAgo);
    expect(await deliveries.receive(await signed(hired, 's3cret', longAgo))).toMatchObject({ id: 'event_hired' });
    await expect(deliveries.receive(await signed(hired, 's3cret', new Date()))).rejects.toMatchObject(refused);
  });

  it('means through the adapter what the wire says it means', async () => {
    const { deliveries } = world();
    const heard = await deliveries.receive(await signed(hired, 's3cret', now));
    expect(deliveries.interpret(heard.payload)).toMatchObject({ about: 'directory', organization: 'org_01' });
  });

  it.each([
    ['no JSON', 'not json'],
    ['nothing', ''],
    ['no event', { hello: 'world' }],
    ['an event with no data, on which the SDK itself would break', { ...hired, data: null }],
    ['an event of no date', { ...hired, created_at: 'yesterday' }],
  ])('is refused as malformed when it is %s', async (_, content) => {
    const delivery = await signed(content, 's3cret', now);
    await expect(world().deliveries.receive(delivery)).rejects.toMatchObject({ reason: 'delivery.malformed' });
  });
});

type Signed = Awaited<ReturnType<typeof signed>>;
type Table = readonly (readonly [string, boolean, (good: Signed) => Promise<unknown> | unknown])[];

const table: Table = [
  ['as it should be', true, (good) => good],
  ['without the space after the comma', true, (good) => ({ ...good, signature: good.signature.replace(' ', '') })],
  ['with a further field at the end', true, (good) => ({ ...good, signature: `${good.signature}, v2=abc` })],
  ['exactly 180 s old', true, () => signed(hired, 's3cret', later(-180_000))],
  ['1 ms older than that', false, () => signed(hired, 's3cret', later(-180_001))],
  ['exactly 5 min ahead', true, () => signed(hired, 's3cret', later(300_000))],
  ['1 ms further ahead', false, () => signed(hired, 's3cret', later(300_001))],
  ['a year ahead', false, () => signed(hired, 's3cret', later(31_536_000_000))],
  ['dated in seconds', false, () => signed(hired, 's3cret', new Date(Math.floor(now.getTime() / 1000)))],
  ['without a header', false, (good) => ({ ...good, signature: undefined })],
  ['with an empty header', false, (good) => ({ ...good, signature: '' })],
  ['with a garbled header', false, (good) => ({ ...good, signature: 'garbage' })],
  ['with commas for a header', false, (good) => ({ ...good, signature: ',,,' })],
  ['with equal signs for a header', false, (good) => ({ ...good, signature: '=,=' })],
  ['with a time and no digest', false, (good) => ({ ...good, signature: good.signature.split(',')[0] })],
  ['with an empty digest', false, (good) => ({ ...good, signature: good.signature.replace(/v1=.*/, 'v1=') })],
  ['with a digest cut short', false, (good) => ({ ...good, signature: good.signature.slice(0, -1) })],
  ['with a digest too long', false, (good) => ({ ...good, signature: `${good.signature}0` })],
  ['with a digest that is no hex', false, (good) => ({ ...good, signature: good.signature.replace(/.$/, 'g') })],
  [
    'with the fields swapped',
    false,
    (good) => ({ ...good, signature: good.signature.split(', ').reverse().join(', ') }),
  ],
  [
    'with upper-case hex',
    false,
    (good) => ({ ...good, signature: good.signature.replace(/v1=.*/, (v1) => `v1=${v1.slice(3).toUpperCase()}`) }),
  ],
  ['with another name for the time', false, (good) => ({ ...good, signature: good.signature.replace('t=', 'x=') })],
  ['with another version', false, (good) => ({ ...good, signature: good.signature.replace('v1=', 'v0=') })],
  [
    'with fields of other names',
    false,
    (good) => ({ ...good, signature: good.signature.replace('t=', 'x=').replace('v1=', 'y=') }),
  ],
  [
    'with a time that was not signed',
    false,
    (good) => ({ ...good, signature: good.signature.replace(/t=\d+/, `t=${now.getTime() - 1}`) }),
  ],
  ['with the time of no clock', false, (good) => ({ ...good, signature: good.signature.replace(/t=\d+/, 't=NaN') })],
  [
    'with a time beyond all numbers',
    false,
    (good) => ({ ...good, signature: good.signature.replace(/t=\d+/, `t=${'9'.repeat(400)}`) }),
  ],
  [
    'with a line break in the header',
    false,
    (good) => ({ ...good, signature: good.signature.replace('v1=', 'v1=\n') }),
  ],
  ['under the wrong secret', false, () => signed(hired, 'wrong', now)],
  ['with one byte more', false, (good) => ({ ...good, body: Uint8Array.from([...good.body, 0x20]) })],
  ['with one byte less', false, (good) => ({ ...good, body: good.body.slice(0, -1) })],
  ['with one byte changed', false, (good) => ({ ...good, body: good.body.with(10, 0x21) })],
  [
    'with a byte order mark before the body',
    false,
    (good) => ({ ...good, body: Uint8Array.from([0xef, 0xbb, 0xbf, ...good.body]) }),
  ],
  ['with an empty body', false, (good) => ({ ...good, body: new Uint8Array() })],
];

const attempt = async (receive: () => unknown): Promise<unknown> => {
  try {
    await receive();
    return 'accepted';
  } catch (thrown) {
    return (thrown as { reason?: unknown }).reason ?? thrown;
  }
};

describe('verification', () => {
  it.each(table)('of a delivery %s: %s', async (_, good, change) => {
    const delivery = (await change(await signed(hired, 's3cret', now))) as Signed;
    const verdict = good ? 'accepted' : 'delivery.unverified';
    const { lines, deliveries } = world();
    expect(await attempt(() => deliveries.receive(delivery))).toBe(verdict);
    // Our own verifier, which the fake provider uses, must agree line by line.
    const { body, signature: header } = delivery;
    expect(await attempt(() => verifySignature({ body, header, secrets: ['s3cret'], now }))).toBe(verdict);
    expect(lines).toEqual([]);
  });

  it('compares the bytes that came, not what a decoder makes of them', async () => {
    // The SDK decodes first: the broken byte becomes U+FFFD, and the signature over the replacement fits.
    const good = await signed({ ...hired, note: '\uFFFD' }, 's3cret', now);
    const text = Buffer.from(good.body);
    const at = text.indexOf(bytes('\uFFFD'));
    const body = Buffer.concat([text.subarray(0, at), Buffer.from([0xff]), text.subarray(at + 3)]);
    expect(await attempt(() => world().deliveries.receive({ ...good, body }))).toBe('delivery.unverified');
    expect(await attempt(() => world().deliveries.receive(good))).toBe('accepted');
  });

  it('accepts what our own signer signs, as the fake provider does', async () => {
    const body = bytes(hired);
    const signature = signatureHeader(body, 's3cret', now);
    expect(await world().deliveries.receive({ body, signature })).toMatchObject({ id: 'event_hired' });
  });

  it.each([[[]], [['']]])('refuses everything without a secret (%j), and says once what to set', async (secrets) => {
    const { lines, deliveries } = world(secrets);
    for (const secret of ['s3cret', 'x']) {
      await expect(deliveries.receive(await signed(hired, secret, now))).rejects.toMatchObject(refused);
    }
    const forged = { body: bytes(hired), signature: signatureHeader(bytes(hired), '', now) };
    await expect(deliveries.receive(forged)).rejects.toMatchObject(refused);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('WORKOS_WEBHOOK_SECRETS') });
  });
});

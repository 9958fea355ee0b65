// A fake world outlives its process, in one file.

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeIdentityProvider } from '#adapters/identity/fake/fake-identity-provider.ts';
import { seedDemo } from '#adapters/identity/fake/seed.ts';
import type { OrganizationId } from '#domain/shared/ids.ts';
import { stageWorld } from './fake-provider-world.ts';

const ours = { acme: 'org_acme' as OrganizationId, globex: 'org_globex' as OrganizationId };
const codeVerifier = 'a-verifier-of-forty-three-characters-or-more-0123456789';
const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fake-world-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('a world with a file', () => {
  it('knows its sessions, people, directories, events and keys after a restart', async () => {
    const file = join(folder, 'deeper', 'world.json');
    const { world } = await stageWorld({ file });
    const seeded = await seedDemo(world, ours);
    const signedIn = await world.sessions.signIn({ email: 'dora.developer@acme.test', method: 'sso', codeChallenge });
    if (signedIn.is === 'refused') throw new Error(signedIn.because);
    const proof = { code: signedIn.code, codeVerifier, ip: null, userAgent: null };
    const identity = await new FakeIdentityProvider(world).login.redeem(proof);
    if (!identity) throw new Error('not redeemed');
    await world.settled();

    const { world: later } = await stageWorld({ file });
    const provider = new FakeIdentityProvider(later);
    expect((await provider.tokens.verify(identity.tokens.accessToken)).subject).toBe(identity.subject);
    expect(await provider.sessions.isAlive(identity)).toBe(true);
    const { refreshToken } = identity.tokens;
    expect(await provider.sessions.refresh({ refreshToken })).toMatchObject({ is: 'refreshed' });
    expect(later.log().map(({ event }) => event.id)).toEqual(world.log().map(({ event }) => event.id));
    expect(later.directories.all()).toEqual(world.directories.all());
    expect((await seedDemo(later, ours)).acme.directory.id).toBe(seeded.acme.directory.id);
    expect(later.webhookSecret).toBe(world.webhookSecret);
  });

  it('has what was answered on disk before it answers', async () => {
    const file = join(folder, 'world.json');
    const { world } = await stageWorld({ file });
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => world.people.add({ email: `p${at}@acme.test`, name: null })),
    );
    const onDisk = JSON.parse(await readFile(file, 'utf8'));
    expect(onDisk.people).toHaveLength(20);
    await world.settled();
  });

  it('leaves no draft behind, and lets only its owner read it', async () => {
    const file = join(folder, 'world.json');
    const { world } = await stageWorld({ file });
    await world.people.add({ email: 'olivia@acme.test', name: null });
    await world.settled();
    expect(await readdir(folder)).toEqual(['world.json']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('delivers after a restart what it was holding back', async () => {
    const file = join(folder, 'world.json');
    const { world } = await stageWorld({ file });
    const { ref } = await world.organizations.ensure({ externalId: 'org_acme', name: 'Acme', domains: [] });
    await world.directories.connect(ref, { manner: 'late' });
    const { world: later, clock, taken } = await stageWorld({ file });
    clock.pass(10);
    await later.releaseDue();
    expect(taken.map(({ body }) => JSON.parse(new TextDecoder().decode(body)).event)).toEqual(['dsync.activated']);
  });

  it('delivers after a restart what was on its way when it was killed', async () => {
    const file = join(folder, 'world.json');
    const { world } = await stageWorld({ file, send: () => new Promise(() => undefined) });
    void world.people.add({ email: 'olivia@acme.test', name: null });
    await expect.poll(async () => JSON.parse(await readFile(file, 'utf8')).people).toHaveLength(1);
    const { world: later, taken } = await stageWorld({ file });
    await later.releaseDue();
    expect(taken.map(({ body }) => JSON.parse(new TextDecoder().decode(body)).event)).toEqual(['user.created']);
  });

  it('does not begin anew over something that it cannot read', async () => {
    const file = join(folder, 'world.json');
    for (const text of ['{"version":1', '{"version":2}', '[]', '']) {
      await writeFile(file, text);
      await expect(stageWorld({ file }), text).rejects.toThrow(file);
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });
});

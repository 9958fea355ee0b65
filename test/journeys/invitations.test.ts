// Inviting people: from the mail to the membership, and everything that must not let anybody in.

import { describe, expect, it } from 'vitest';
import { Browser, location } from './browser.ts';
import { followLink, hostedPageOf, invite, invited, mailTo } from './invitation-words.ts';
import {
  adam,
  carla,
  days,
  gus,
  hours,
  inWorld,
  type Line,
  memberNamed,
  ofAcme,
  ofGlobex,
  olivia,
  refusal,
  trailOf,
} from './words.ts';

const nina = 'nina@elsewhere.test';
const linesAbout = (trail: readonly Line[], id: string): readonly string[] =>
  trail.filter(({ target }) => target.id === id).map(({ action }) => action);

describe('somebody who is invited', () => {
  it('gets a mail, follows its link, and is a member with the role that was meant for them', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const sent = await owner.post(ofGlobex(world, '/invitations'), {
        email: ' Nina@Elsewhere.test ',
        role: 'auditor',
      });
      expect([sent.status, sent.body]).toMatchObject([
        201,
        { email: nina, role: 'auditor', status: 'pending', sent_at: null, accepted_by: null },
      ]);
      await world.settle();
      const mail = await mailTo(world, nina);
      expect(mail).toMatchObject({ state: 'pending', organization_id: world.globex });

      // What the provider says of it comes after the browser.
      await world.provider.setManner('late', 60);
      const browser = new Browser(world);
      await followLink(browser, mail, { email: nina, method: 'password' });
      await world.provider.setManner('none');
      const me = (await browser.get('/v1/whoami')).body;
      expect([me.caller.organization_id, me.caller.role, me.user.email]).toEqual([world.globex, 'auditor', nina]);
      await world.settle();

      const member = await memberNamed(owner, world.globex, nina);
      expect(member).toMatchObject({ role: 'auditor', status: 'active', managed_by: 'hand' });
      const [listed] = (await owner.get(ofGlobex(world, '/invitations'))).body.data;
      expect(listed).toMatchObject({ status: 'accepted', accepted_by: member.user_id, sent_at: expect.any(String) });
      const trail = await trailOf(owner, world.globex);
      expect(linesAbout(trail, sent.body.id)).toEqual(['invitation.accepted', 'invitation.sent']);
      const accepted = trail.find(({ action }) => action === 'invitation.accepted');
      expect([accepted?.actor.id, accepted?.before, accepted?.after]).toEqual([
        member.user_id,
        { status: 'pending', accepted_by: null },
        { email: nina, status: 'accepted', accepted_by: member.user_id },
      ]);
      expect(JSON.stringify(trail)).not.toContain(new URL(mail.accept_url ?? '').searchParams.get('invitation_token'));
    }));

  it('is joined by the organization’s single sign-on too, without the link, which ends', () =>
    inWorld(async (world) => {
      const { owner } = await invited(world, world.acme, 'newcomer@acme.test', 'developer');
      await world.provider.people.add({ email: 'newcomer@acme.test', name: 'New Comer' });
      const newcomer = await world.signIn('newcomer@acme.test', { method: 'sso', organization: world.acme });
      expect((await newcomer.get('/v1/whoami')).body.caller.role).toBe('developer');
      await world.settle();
      expect((await mailTo(world, 'newcomer@acme.test')).state).toBe('revoked');
      expect((await owner.get(ofAcme(world, '/invitations?status=accepted'))).body.data).toHaveLength(1);
      expect(await memberNamed(owner, world.acme, 'newcomer@acme.test')).toMatchObject({ managed_by: 'hand' });
    }));

  it('keeps the organizations that they had, and finds the new one among them', () =>
    inWorld(async (world) => {
      const founder = await world.signIn('fay@consult.test', { method: 'password' });
      const founded = await founder.post('/v1/organizations', { name: 'Consult', domains: [] });
      await world.settle();
      const again = await world.signIn('fay@consult.test', { method: 'password', organization: founded.body.id });
      await invite(again, founded.body.id, carla, 'analyst');
      await world.settle();
      const browser = new Browser(world);
      await followLink(browser, await mailTo(world, carla), { email: carla, method: 'password' });
      const { organizations, caller } = (await browser.get('/v1/whoami')).body;
      expect(caller.organization_id).toBe(founded.body.id);
      expect(organizations.map(({ name }: { name: string }) => name)).toEqual(['Acme', 'Consult', 'Globex']);
    }));

  it('is a member by the provider’s word alone, should their browser never come back to us', () =>
    inWorld(async (world) => {
      const { owner } = await invited(world, world.globex, nina, 'auditor');
      const browser = new Browser(world);
      const hosted = await hostedPageOf(browser, await mailTo(world, nina));
      await browser.prove(hosted, { email: nina, method: 'password' });
      await world.settle();
      expect(await memberNamed(owner, world.globex, nina)).toMatchObject({ role: 'auditor', managed_by: 'hand' });
      const accepted = (await trailOf(owner, world.globex)).find(({ action }) => action === 'invitation.accepted');
      expect(accepted?.actor.kind).toBe('provider');
    }));

  it('may click the link twice', () =>
    inWorld(async (world) => {
      await invited(world, world.globex, nina, 'auditor');
      const mail = await mailTo(world, nina);
      await followLink(new Browser(world), mail, { email: nina, method: 'password' });
      await world.settle();
      const again = new Browser(world);
      await followLink(again, mail, { email: nina, method: 'password' });
      expect((await again.get('/v1/whoami')).body.caller.role).toBe('auditor');
    }));
});

describe('nobody comes in by an invitation', () => {
  it('that was sent to another address, whoever has the link', () =>
    inWorld(async (world) => {
      const { owner } = await invited(world, world.globex, nina, 'auditor');
      const browser = new Browser(world);
      const hosted = await hostedPageOf(browser, await mailTo(world, nina));
      const refused = await browser.prove(hosted, { email: 'thief@elsewhere.test', method: 'password' });
      expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('for another address')]);
      await world.settle();
      expect((await owner.get(ofGlobex(world, '/invitations'))).body.data[0].status).toBe('pending');
    }));

  it('under an address that the provider has not verified', () =>
    inWorld(async (world) => {
      const { owner } = await invited(world, world.acme, 'claimed@acme.test', 'developer');
      await world.provider.people.add({ email: 'claimed@acme.test', name: 'Claimed', emailVerified: false });
      const browser = new Browser(world);
      const back = await browser.signIn(
        { email: 'claimed@acme.test', method: 'sso' },
        `?organization_id=${world.acme}`,
      );
      expect(back.text).toContain('sign_in.email_unverified');
      expect((await owner.get(ofAcme(world, '/invitations'))).body.data[0].status).toBe('pending');
    }));

  it('that was revoked, also when the provider let them in at the same moment', () =>
    inWorld(async (world) => {
      const { owner, id } = await invited(world, world.globex, nina, 'auditor');
      await owner.put(ofGlobex(world, '/provisioning-policy'), {
        default_role: 'analyst',
        gate_group_id: null,
        just_in_time: true,
      });
      const browser = new Browser(world);
      const hosted = await hostedPageOf(browser, await mailTo(world, nina));
      await world.provider.setManner('late', 60);
      const callback = location(await browser.prove(hosted, { email: nina, method: 'password' }));
      expect((await owner.delete(ofGlobex(world, `/invitations/${id}`))).status).toBe(204);
      const back = await browser.get(callback);
      expect(back.text).toContain('sign_in.not_a_member');
      expect(browser.cookie('hd_session')).toBeUndefined();
      await world.provider.setManner('none');
      await world.settle();
      const members = (await owner.get(ofGlobex(world, `/members?q=${nina}`))).body.data;
      expect(members).toEqual([]);
      const ref = world.provider.organizations.byExternalId(world.globex)?.ref ?? '';
      expect(world.provider.organizations.membersOf(ref).map(({ email }) => email)).not.toContain(nina);
    }));

  it('that was revoked: its link says so', () =>
    inWorld(async (world) => {
      const { owner, id } = await invited(world, world.globex, nina, 'auditor');
      const mail = await mailTo(world, nina);
      await owner.delete(ofGlobex(world, `/invitations/${id}`));
      await world.settle();
      expect((await mailTo(world, nina)).state).toBe('revoked');
      const browser = new Browser(world);
      const hosted = await hostedPageOf(browser, mail);
      expect((await browser.get(hosted)).text).toContain('This invitation was taken back');
      expect((await browser.prove(hosted, { email: nina, method: 'password' })).status).toBe(403);
      expect((await owner.delete(ofGlobex(world, `/invitations/${id}`))).status).toBe(204);
      expect(refusal(await owner.post(ofGlobex(world, `/invitations/${id}/resend`)))).toEqual([
        409,
        'invitation.not_open',
      ]);
    }));

  it('after seven days: neither by the link nor by single sign-on', () =>
    inWorld(async (world) => {
      const { owner } = await invited(world, world.acme, 'late@acme.test', 'developer');
      await world.provider.people.add({ email: 'late@acme.test', name: 'Late' });
      const mail = await mailTo(world, 'late@acme.test');
      world.clock.turn(days(7) - hours(1));
      expect((await world.signIn(olivia)).email).toBe(olivia);
      world.clock.turn(hours(1));
      const again = await world.signIn(olivia);
      expect((await again.get(ofAcme(world, '/invitations?status=expired'))).body.data).toHaveLength(1);
      expect((await again.get(ofAcme(world, '/invitations?status=pending'))).body.data).toEqual([]);
      const browser = new Browser(world);
      const byLink = await hostedPageOf(browser, mail);
      expect((await browser.prove(byLink, { email: 'late@acme.test', method: 'sso' })).status).toBe(403);
      const bySso = await browser.signIn({ email: 'late@acme.test', method: 'sso' }, `?organization_id=${world.acme}`);
      expect(bySso.text).toContain('sign_in.not_a_member');
      expect(owner.email).toBe(olivia);
    }));

  it('of a member who has left since: what they began ends with them', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const helper = await memberNamed(owner, world.globex, carla);
      await owner.patch(ofGlobex(world, `/members/${helper.id}`), { role: 'admin' });
      const admin = await world.signIn(carla, { organization: world.globex });
      const id = await invite(admin, world.globex, nina, 'analyst');
      await world.settle();
      await owner.delete(ofGlobex(world, `/members/${helper.id}`));
      await world.settle();
      expect((await mailTo(world, nina)).state).toBe('revoked');
      const revoked = (await trailOf(owner, world.globex)).find(({ action }) => action === 'invitation.revoked');
      expect([revoked?.target.id, revoked?.after]).toEqual([
        id,
        { email: nina, status: 'revoked', because: 'inviter_left' },
      ]);
    }));

  it('when the directory decides about them: neither somebody it has, nor somebody it let go since', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const ask = (email: string) => owner.post(ofAcme(world, '/invitations'), { email, role: 'analyst' });
      await world.directory.hire({ email: 'idle@acme.test', name: 'Idle' });
      await world.directory.change('idle@acme.test', { active: false });
      expect(refusal(await ask('Idle@acme.test'))).toEqual([403, 'invitation.directory_decides']);

      expect((await ask('soon@acme.test')).status).toBe(201);
      await world.directory.hire({ email: 'soon@acme.test', name: 'Soon', groups: ['Data'] });
      const [superseded] = (await owner.get(ofAcme(world, '/invitations'))).body.data;
      expect([superseded.email, superseded.status]).toEqual(['soon@acme.test', 'revoked']);
      await world.directory.terminate('soon@acme.test');
      expect((await ask('soon@acme.test')).status).toBe(201);
    }));
});

describe('neither comes in by an invitation', () => {
  it('whom the directory has without letting them in, nor whom it let go after they were asked', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const directory = await world.connectDirectory(world.globex);
      const gate = await directory.createGroup('Let in');
      const policy = { default_role: 'analyst', gate_group_id: gate, just_in_time: false };
      expect((await owner.put(ofGlobex(world, '/provisioning-policy'), policy)).status).toBe(200);
      for (const email of ['kept@elsewhere.test', 'gone@elsewhere.test']) {
        await invite(owner, world.globex, email, 'analyst');
        await directory.hire({ email, name: 'Outside' });
      }
      await directory.terminate('gone@elsewhere.test');
      for (const email of ['kept@elsewhere.test', 'gone@elsewhere.test']) {
        const mail = await mailTo(world, email);
        expect(mail.state).toBe('pending');
        const browser = new Browser(world);
        const back = await followLink(browser, mail, { email, method: 'password' });
        expect([email, back.text]).toEqual([email, expect.stringContaining('sign_in.not_a_member')]);
      }
      await world.settle();
      const members = (await owner.get(ofGlobex(world, '/members?q=elsewhere'))).body.data;
      expect(members).toEqual([]);
    }));

  it('a member who is removed, by one that was sent to the address that they have now', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      const member = await memberNamed(owner, world.globex, carla);
      const id = await invite(owner, world.globex, 'carla.new@consult.test', 'developer');
      const person = world.provider.people.byEmail(carla);
      await world.provider.people.change(person?.subject ?? '', { email: 'carla.new@consult.test' });
      await world.settle();
      expect((await owner.delete(ofGlobex(world, `/members/${member.id}`))).status).toBe(204);
      const revoked = (await trailOf(owner, world.globex)).find(({ action }) => action === 'invitation.revoked');
      expect([revoked?.target.id, revoked?.after?.['because']]).toEqual([id, 'access_ended']);
    }));

  it('somebody in whose name the support staff signs in', () =>
    inWorld(async (world) => {
      const { owner } = await invited(world, world.acme, 'newcomer@acme.test', 'developer');
      await world.provider.people.add({ email: 'newcomer@acme.test', name: 'New Comer' });
      const browser = new Browser(world);
      const asked = new URL(await browser.begin(`?organization_id=${world.acme}`)).searchParams;
      // What the provider says of its new member stays on its way.
      await world.provider.setManner('lost');
      const outcome = await world.provider.sessions.signIn({
        email: 'newcomer@acme.test',
        method: 'sso',
        codeChallenge: asked.get('code_challenge') ?? '',
        organization: asked.get('organization') ?? undefined,
        impersonator: { email: 'support@example.test', reason: null },
      });
      if (outcome.is !== 'signed_in') throw new Error(outcome.because);
      const back = await browser.get(`/auth/callback?code=${outcome.code}&state=${asked.get('state')}`);
      expect(back.text).toContain('sign_in.not_a_member');
      expect((await owner.get(ofAcme(world, '/invitations'))).body.data[0].status).toBe('pending');
    }));
});

describe('who may invite', () => {
  it('follows the rules for roles', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(olivia);
      const admin = await world.signIn(adam);
      const ask = async (by: typeof admin, email: string, role: string) =>
        by.post(ofAcme(world, '/invitations'), { email, role });
      expect(refusal(await ask(admin, nina, 'admin'))).toEqual([403, 'membership.only_owner_makes_admins']);
      expect(refusal(await ask(owner, nina, 'owner'))).toEqual([422, 'membership.ownership_is_handed_over']);
      expect(refusal(await ask(owner, 'nina', 'analyst'))).toEqual([400, 'request.invalid']);
      expect((await ask(owner, nina, 'admin')).status).toBe(201);
      const [open] = (await admin.get(ofAcme(world, '/invitations'))).body.data;
      const path = ofAcme(world, `/invitations/${open.id}`);
      expect(refusal(await admin.post(`${path}/resend`))).toEqual([403, 'membership.only_owner_makes_admins']);
      expect(refusal(await admin.delete(path))).toEqual([403, 'membership.only_owner_makes_admins']);
      expect((await owner.delete(path)).status).toBe(204);
      const dora = await world.signIn('dora.developer@acme.test');
      expect(refusal(await ask(dora, nina, 'analyst'))).toEqual([403, 'caller.scope_missing']);
      expect(refusal(await dora.get(ofAcme(world, '/invitations')))).toEqual([403, 'caller.scope_missing']);
    }));

  it('and nobody invites who is a member already, or has been asked already', () =>
    inWorld(async (world) => {
      const { owner, id } = await invited(world, world.globex, nina, 'auditor');
      const ask = (email: string) => owner.post(ofGlobex(world, '/invitations'), { email, role: 'analyst' });
      expect(refusal(await ask('CARLA@consult.test'))).toEqual([409, 'invitation.already_member']);
      const twice = await ask('NINA@elsewhere.test');
      expect([refusal(twice), twice.body.error.details]).toEqual([
        [409, 'invitation.already_sent'],
        { invitation: id },
      ]);
      expect(world.provider.invitations.all()).toHaveLength(1);
    }));

  it('and an accepted one is neither sent again nor revoked', () =>
    inWorld(async (world) => {
      const { owner, id } = await invited(world, world.globex, nina, 'auditor');
      await followLink(new Browser(world), await mailTo(world, nina), { email: nina, method: 'password' });
      await world.settle();
      const path = ofGlobex(world, `/invitations/${id}`);
      expect(refusal(await owner.delete(path))).toEqual([409, 'invitation.accepted']);
      expect(refusal(await owner.post(`${path}/resend`))).toEqual([409, 'invitation.accepted']);
    }));
});

describe('an invitation that is sent again', () => {
  it('is a new mail, good for seven more days, and the link before it ends', () =>
    inWorld(async (world) => {
      const { id } = await invited(world, world.globex, nina, 'auditor');
      const first = await mailTo(world, nina);
      world.clock.turn(days(8));
      const owner = await world.signIn(gus);
      const resent = await owner.post(ofGlobex(world, `/invitations/${id}/resend`));
      expect([resent.status, resent.body.status, resent.body.sent_at]).toEqual([200, 'pending', null]);
      await world.settle();
      expect(world.provider.invitations.all()).toHaveLength(2);
      const second = await mailTo(world, nina);
      expect(second.id).not.toBe(first.id);
      world.clock.turn(days(7) - hours(1));
      const browser = new Browser(world);
      const stale = await hostedPageOf(browser, first);
      expect((await browser.prove(stale, { email: nina, method: 'password' })).status).toBe(403);
      await followLink(browser, second, { email: nina, method: 'password' });
      expect((await browser.get('/v1/whoami')).body.caller.role).toBe('auditor');
      await world.settle();
      const actions = linesAbout(await trailOf(await world.signIn(gus), world.globex), id);
      expect(actions).toEqual(['invitation.accepted', 'invitation.resent', 'invitation.sent']);
    }));

  it('waits for a provider that does not answer, and is sent once it does, once', () =>
    inWorld(async (world) => {
      const owner = await world.signIn(gus);
      await world.outage('down');
      await invite(owner, world.globex, nina, 'auditor');
      await world.settle();
      expect(world.provider.invitations.all()).toEqual([]);
      await world.outage('none');
      world.clock.turn(hours(1));
      await world.settle();
      expect(world.provider.invitations.all()).toHaveLength(1);
      const [open] = (await (await world.signIn(gus)).get(ofGlobex(world, '/invitations'))).body.data;
      expect(Date.parse(open.expires_at) - Date.parse(open.sent_at)).toBe(days(7) * 1000);
    }));
});

describe('after an invitation ran out', () => {
  it('the address can be invited anew, and the trail tells both', () =>
    inWorld(async (world) => {
      const { id } = await invited(world, world.globex, nina, 'auditor');
      world.clock.turn(days(7));
      const owner = await world.signIn(gus);
      const second = await invite(owner, world.globex, nina, 'analyst');
      const trail = await trailOf(owner, world.globex);
      expect(linesAbout(trail, id)).toEqual(['invitation.expired', 'invitation.sent']);
      expect(linesAbout(trail, second)).toEqual(['invitation.sent']);
      const listed = (await owner.get(ofGlobex(world, '/invitations'))).body.data;
      expect(listed.map(({ status }: { status: string }) => status)).toEqual(['pending', 'expired']);
    }));
});

describe('somebody who left', () => {
  it('comes back by a new invitation only, as a new member', () =>
    inWorld(async (world) => {
      const { owner } = await invited(world, world.globex, nina, 'auditor');
      const mail = await mailTo(world, nina);
      await followLink(new Browser(world), mail, { email: nina, method: 'password' });
      await world.settle();
      const before = await memberNamed(owner, world.globex, nina);
      await owner.delete(ofGlobex(world, `/members/${before.id}`));
      await world.settle();
      const back = await followLink(new Browser(world), mail, { email: nina, method: 'password' }).catch(String);
      expect(back).not.toMatchObject({ status: 302 });

      await invite(owner, world.globex, nina, 'developer');
      await world.settle();
      const browser = new Browser(world);
      await followLink(browser, await mailTo(world, nina), { email: nina, method: 'password' });
      expect((await browser.get('/v1/whoami')).body.caller.role).toBe('developer');
      await world.settle();
      const after = await memberNamed(owner, world.globex, nina);
      expect(after.id).not.toBe(before.id);
    }));
});

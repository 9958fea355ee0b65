// Signing in and out with a browser: where it is sent, and which cookies it keeps.

import { describe, expect, it } from 'vitest';
import type { UseCases } from '#application/use-cases.ts';
import { Refusal, type RefusalReason } from '#domain/shared/refusal.ts';
import { anId } from '../../support/words.ts';
import { anOwner, byCookie, byKey, friendly, publicOrigin, reference, type Served, serve } from './served.ts';

const html = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

/** A browser's jar: what an answer sets, the next request sends. */
const browser = (served: Served) => {
  const jar = new Map<string, string>();
  const go = async (method: string, path: string, headers: Record<string, string> = html) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answered = await served.send(method, path, { headers: { ...headers, ...(cookie && { cookie }) } });
    for (const line of answered.cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) jar.delete(name);
      else jar.set(name, value);
    }
    return answered;
  };
  return { jar, go };
};

const withBrowser = async (
  useCases: Partial<UseCases>,
  visit: (at: ReturnType<typeof browser>, served: Served) => Promise<void>,
  publicUrl = publicOrigin,
): Promise<void> => {
  const served = await serve(useCases, { publicUrl: new URL(publicUrl) });
  try {
    await visit(browser(served), served);
  } finally {
    await served.close();
  }
};

/** A login whose states count up, and which finishes only with its own box. */
const counting = (): Pick<UseCases, 'beginLogin' | 'completeLogin'> => {
  let count = 0;
  return {
    beginLogin: async () => {
      count += 1;
      return { url: `https://idp.example/?state=s${count}`, state: `s${count}`, box: `box${count}`, seconds: 600 };
    },
    completeLogin: async (request) => {
      if (request.box !== `box${request.state.slice(1)}`) throw new Refusal('sign_in.state_invalid');
      return friendly.completeLogin(request);
    },
  };
};

describe('a sign-in', () => {
  it('goes out to the provider and comes back with a session', () =>
    withBrowser(counting(), async ({ jar, go }) => {
      const out = await go('GET', '/auth/login?return_to=/landing');
      expect(out.status).toBe(302);
      expect(out.headers.location).toBe('https://idp.example/?state=s1');
      const back = await go('GET', '/auth/callback?code=c&state=s1');
      expect(back.status).toBe(302);
      expect(back.headers.location).toBe('/landing');
      expect(Object.fromEntries(jar)).toEqual({
        '__Host-hd_session': reference,
        '__Host-hd_refresh': 'sealed.refresh',
      });
    }));

  it('hands everything that was typed to the use case, and judges none of it', async () => {
    let asked: unknown;
    const beginLogin: UseCases['beginLogin'] = async (request) => {
      asked = request;
      return friendly.beginLogin(request);
    };
    await withBrowser({ beginLogin }, async ({ go }) => {
      const query = `email=Ada%40acme.test&organization_id=${anId('org')}&return_to=https%3A%2F%2Fevil.example&remember=true&invitation_token=inv1`;
      await go('GET', `/auth/login?${query}`);
    });
    expect(asked).toEqual({
      email: 'Ada@acme.test',
      organizationId: anId('org'),
      returnTo: 'https://evil.example',
      remember: true,
      invitationToken: 'inv1',
    });
  });

  it('lands only where the use case says, whatever the callback is asked for', () =>
    withBrowser(counting(), async ({ go }) => {
      await go('GET', '/auth/login');
      const back = await go('GET', '/auth/callback?code=c&state=s1&return_to=https://evil.example');
      expect(back.headers.location).toBe('/landing');
    }));

  it('tells the use case which session it replaces', async () => {
    let replaced: string | undefined;
    const completeLogin: UseCases['completeLogin'] = async (request) => {
      replaced = request.replaces;
      return friendly.completeLogin(request);
    };
    await withBrowser({ ...counting(), completeLogin }, async ({ jar, go }) => {
      await go('GET', '/auth/login');
      jar.set('__Host-hd_session', 'o'.repeat(43));
      await go('GET', '/auth/callback?code=c&state=s1');
    });
    expect(replaced).toBe('o'.repeat(43));
  });

  it('may be under way in several tabs at once', () =>
    withBrowser(counting(), async ({ go }) => {
      await go('GET', '/auth/login');
      await go('GET', '/auth/login');
      expect((await go('GET', '/auth/callback?code=c&state=s1')).headers.location).toBe('/landing');
      expect((await go('GET', '/auth/callback?code=c&state=s2')).headers.location).toBe('/landing');
    }));

  it('in a seventh tab gives up the oldest ones, so that cookies stay few and small', () =>
    withBrowser(counting(), async ({ jar, go }) => {
      for (let tab = 0; tab < 7; tab += 1) await go('GET', '/auth/login');
      expect([...jar.values()]).toEqual(['box3', 'box4', 'box5', 'box6', 'box7']);
    }));

  it.each<[string, string]>([
    ['email', 'x'.repeat(321)],
    ['organization_id', 'org_nothing'],
    ['return_to', `/${'x'.repeat(2048)}`],
    ['remember', 'perhaps'],
    ['email', 'a%00b'],
  ])('with a malformed %s is refused', async (name, value) => {
    await withBrowser({}, async ({ go }) => {
      const answered = await go('GET', `/auth/login?${name}=${value}`, { accept: 'application/json' });
      expect(answered.status).toBe(400);
    });
  });

  it('that began at the provider starts afresh', () =>
    withBrowser({}, async ({ go }) => {
      const answered = await go('GET', '/auth/start?code=theirs&return_to=//evil.example');
      expect(answered.status).toBe(302);
      expect(answered.headers.location).toBe('/auth/login');
    }));

  it('that began with an invitation takes it along, as a value and nothing else', () =>
    withBrowser({}, async ({ go }) => {
      const answered = await go('GET', '/auth/start?invitation_token=inv%26return_to%3D%2F%2Fevil.example');
      expect(answered.headers.location).toBe('/auth/login?invitation_token=inv%26return_to%3D%2F%2Fevil.example');
    }));
});

describe('a callback', () => {
  it.each([
    ['without a state', '/auth/callback?code=c'],
    ['without a code', '/auth/callback?state=s1'],
    ['with nothing at all', '/auth/callback'],
    ['of another browser’s sign-in', '/auth/callback?code=c&state=theirs'],
  ])('%s starts a fresh sign-in, which then succeeds', (_which, path) =>
    withBrowser(counting(), async ({ jar, go }) => {
      const first = await go('GET', path);
      expect(first.status).toBe(302);
      expect(first.headers.location).toBe('/auth/login?again=1');
      const out = await go('GET', '/auth/login?again=1');
      expect(out.headers.location).toBe('https://idp.example/?state=s1');
      await go('GET', '/auth/callback?code=c&state=s1');
      expect([...jar.keys()]).toEqual(['__Host-hd_session', '__Host-hd_refresh']);
    }),
  );

  it('whose box no longer opens starts a fresh sign-in', () =>
    withBrowser(
      {
        completeLogin: async () => {
          throw new Refusal('sign_in.state_invalid');
        },
      },
      async ({ go }) => {
        await go('GET', '/auth/login');
        expect((await go('GET', '/auth/callback?code=c&state=state-1')).headers.location).toBe('/auth/login?again=1');
      },
    ));

  it('does not go round for ever: the second time in a row is an error page, and after it one can try again', () =>
    withBrowser({}, async ({ go }) => {
      await go('GET', '/auth/callback?code=c');
      const second = await go('GET', '/auth/callback?code=c');
      expect(second.status).toBe(400);
      expect(second.text).toContain('sign_in.state_invalid');
      expect((await go('GET', '/auth/callback?code=c')).status).toBe(302);
    }));

  it('does not go round for ever in a browser that keeps no cookies', async () => {
    const served = await serve();
    const first = await served.send('GET', '/auth/callback?code=c', { headers: html });
    const second = await served.send('GET', first.headers.location ?? '', { headers: html });
    await served.close();
    expect(second.status).toBe(400);
    expect(second.text).toContain('sign_in.state_invalid');
  });

  it('works once: its cookie is gone afterwards', () =>
    withBrowser(counting(), async ({ go }) => {
      await go('GET', '/auth/login');
      await go('GET', '/auth/callback?code=c&state=s1');
      expect((await go('GET', '/auth/callback?code=c&state=s1')).headers.location).toBe('/auth/login?again=1');
    }));

  it.each<[RefusalReason, number]>([
    ['sign_in.code_spent', 403],
    ['sign_in.email_unverified', 403],
    ['sign_in.not_a_member', 403],
    ['user.not_active', 403],
    ['organization.not_active', 403],
    ['identity.unavailable', 503],
  ])('refused with %s is a page for a browser and JSON for a program', (reason, status) =>
    withBrowser(
      {
        completeLogin: async () => {
          throw new Refusal(reason);
        },
      },
      async ({ jar, go }) => {
        await go('GET', '/auth/login');
        const page = await go('GET', '/auth/callback?code=c&state=state-1');
        expect(page.status).toBe(status);
        expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
        expect(page.text).toContain(reason);
        expect(page.text).toContain(String(page.headers['x-request-id']));
        expect(page.text).toContain('href="/auth/login"');
        expect([...jar]).toEqual([]);
        await go('GET', '/auth/login');
        const json = await go('GET', '/auth/callback?code=c&state=state-1', { accept: 'application/json' });
        expect(json.json).toMatchObject({ error: { reason } });
      },
    ),
  );

  it('with the provider’s error says that the provider said no, and repeats nothing dangerous', () =>
    withBrowser({}, async ({ go }) => {
      const page = await go('GET', '/auth/callback?error=%3Cscript%3E&error_description=%3Cb%3E&state=s');
      expect(page.status).toBe(403);
      expect(page.text).toContain('sign_in.denied');
      expect(page.text).not.toContain('<script');
      const json = { accept: 'application/json' };
      expect((await go('GET', '/auth/callback?error=access_denied', json)).json).toMatchObject({
        error: { reason: 'sign_in.denied', details: { provider_error: 'access_denied' } },
      });
      expect((await go('GET', '/auth/callback?error=temporarily_unavailable', json)).json).toMatchObject({
        error: { reason: 'identity.unavailable' },
      });
    }));
});

describe('the test of a connection', () => {
  const start = { origin: 'https://id.hatidata.example', 'sec-fetch-site': 'same-origin' };
  const test = `/v1/organizations/${anId('org')}/sso/connections/conn_1/test`;

  it('begins with a cookie and ends where it should, and the session of the browser stays what it was', async () => {
    const completeLogin: UseCases['completeLogin'] = async ({ box }) => {
      expect(box).toBe('box-1');
      return { is: 'tested', returnTo: '/settings' };
    };
    await withBrowser({ completeLogin }, async ({ jar, go }) => {
      jar.set('__Host-hd_session', reference);
      const started = await go('POST', test, start);
      expect(started.json).toEqual({ login_url: 'https://idp.example/authorize?connection=conn_1' });
      const back = await go('GET', '/auth/callback?code=c&state=state-1');
      expect(back.status).toBe(302);
      expect(back.headers.location).toBe('/settings');
      expect([...jar]).toEqual([['__Host-hd_session', reference]]);
    });
  });

  it('from which nobody came back ends there too, with the error as one harmless word', async () => {
    const heard: unknown[] = [];
    const failLogin: UseCases['failLogin'] = async ({ error, state, box }) => {
      heard.push([error, state, box]);
      return { is: 'tested', returnTo: '/settings' };
    };
    await withBrowser({ failLogin }, async ({ jar, go }) => {
      jar.set('__Host-hd_session', reference);
      for (const error of ['connection_invalid', '%3Cscript%3E']) {
        await go('POST', test, start);
        const back = await go('GET', `/auth/callback?error=${error}&state=state-1`);
        expect(back.headers.location).toBe('/settings');
      }
      // Without the cookie it is nobody's test.
      expect((await go('GET', '/auth/callback?error=access_denied&state=state-1')).status).toBe(403);
    });
    expect(heard).toEqual([
      ['connection_invalid', 'state-1', 'box-1'],
      ['unknown', 'state-1', 'box-1'],
    ]);
  });
});

describe('cookies', () => {
  const lines = async (publicUrl: string): Promise<readonly string[]> => {
    const all: string[] = [];
    await withBrowser(
      counting(),
      async ({ go }) => {
        for (const path of ['/auth/login', '/auth/callback?code=c&state=s1', '/auth/callback']) {
          all.push(...(await go('GET', path)).cookies);
        }
        all.push(...(await go('POST', '/auth/logout', { origin: new URL(publicUrl).origin })).cookies);
      },
      publicUrl,
    );
    return all;
  };

  it('over https are bound to this host, secure, and closed to scripts and other sites', async () => {
    const all = await lines(publicOrigin);
    expect(all.length).toBeGreaterThan(6);
    for (const line of all) {
      expect(line).toMatch(
        /^__Host-hd_(session|refresh|again|login_[\w-]{16})=[\w.-]*; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
      );
    }
  });

  it('over plain http have neither prefix nor Secure, which browsers would not keep', async () => {
    const all = await lines('http://localhost:3000');
    expect(all.length).toBeGreaterThan(6);
    for (const line of all) {
      expect(line).toMatch(
        /^hd_(session|refresh|again|login_[\w-]{16})=[\w.-]*; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
      );
    }
  });

  it('live as long as the use case says', () =>
    withBrowser(counting(), async ({ go }) => {
      const out = await go('GET', '/auth/login');
      expect(out.cookies).toEqual([expect.stringMatching(/^__Host-hd_login_.*Max-Age=600;/)]);
      const back = await go('GET', '/auth/callback?code=c&state=s1');
      expect(back.cookies.filter((line) => line.includes('Max-Age=3600;'))).toHaveLength(2);
    }));

  it('never carry what could end them', () =>
    withBrowser(
      { beginLogin: async (request) => ({ ...(await friendly.beginLogin(request)), box: 'a; Domain=evil.example' }) },
      async ({ go }) => {
        expect((await go('GET', '/auth/login')).status).toBe(500);
      },
    ));
});

describe('signing out', () => {
  const fromOurPage = { 'sec-fetch-site': 'same-origin' };

  it('ends the session, clears the cookies and goes on to the provider', async () => {
    let ended: string | undefined;
    const signOut: UseCases['signOut'] = async (caller, source) => {
      ended = caller.id;
      return friendly.signOut(caller, source);
    };
    await withBrowser({ signOut }, async ({ jar, go }) => {
      jar.set('__Host-hd_session', reference).set('__Host-hd_refresh', 'sealed');
      const answered = await go('POST', '/auth/logout', fromOurPage);
      expect(answered.status).toBe(303);
      expect(answered.headers.location).toBe('https://idp.example/logout');
      expect([...jar]).toEqual([]);
    });
    expect(ended).toBe(anId('user'));
  });

  it.each<[string, Partial<UseCases>]>([
    [
      'a session that is already gone',
      {
        authenticateCaller: async () => {
          throw new Refusal('session.ended');
        },
      },
    ],
    ['a provider that has nothing to visit', { signOut: async () => ({ logoutUrl: undefined }) }],
  ])('works for %s', (_which, useCases) =>
    withBrowser(useCases, async ({ jar, go }) => {
      jar.set('__Host-hd_session', reference);
      const answered = await go('POST', '/auth/logout', fromOurPage);
      expect(answered.status).toBe(303);
      expect(answered.headers.location).toBe('/');
      expect([...jar]).toEqual([]);
    }),
  );

  it('keeps the cookies when the session could not be ended, so that one can try again', () =>
    withBrowser(
      {
        signOut: async () => {
          throw new Refusal('storage.unavailable');
        },
      },
      async ({ jar, go }) => {
        jar.set('__Host-hd_session', reference);
        expect((await go('POST', '/auth/logout', fromOurPage)).status).toBe(503);
        expect(jar.get('__Host-hd_session')).toBe(reference);
      },
    ));

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['silence', {}],
  ])('is refused from %s, with or without a session', async (_where, headers) => {
    const served = await serve();
    const withSession = await served.send('POST', '/auth/logout', { headers: { cookie: byCookie.cookie, ...headers } });
    const without = await served.send('POST', '/auth/logout', { headers });
    await served.close();
    expect([withSession.status, without.status]).toEqual([403, 403]);
    expect(withSession.cookies).toEqual([]);
  });

  it('cannot be done by following a link', async () => {
    const served = await serve();
    const answered = await served.send('GET', '/auth/logout', { headers: byCookie });
    await served.close();
    expect(answered.status).toBe(404);
  });

  it('is for people', async () => {
    const served = await serve({
      signOut: async () => {
        throw new Refusal('caller.person_required');
      },
    });
    const answered = await served.send('POST', '/auth/logout', { headers: { ...byKey, ...fromOurPage } });
    await served.close();
    expect(answered.status).toBe(403);
  });
});

describe('switching the organization', () => {
  const json = { organization_id: anId('org', 2) };

  it('gives the sealed refresh token along and keeps the new one', async () => {
    let brought: string | undefined;
    const served = await serve({
      switchOrganization: async (_caller, { refreshBox }) => {
        brought = refreshBox;
        return { refreshBox: 'sealed.again', cookieSeconds: 77 };
      },
    });
    const cookie = `${byCookie.cookie}; __Host-hd_refresh=sealed.before`;
    const answered = await served.send('POST', '/v1/session/organization', { headers: { ...byCookie, cookie }, json });
    await served.close();
    expect(brought).toBe('sealed.before');
    expect(answered.cookies).toEqual([
      '__Host-hd_refresh=sealed.again; Path=/; Max-Age=77; HttpOnly; SameSite=Lax; Secure',
    ]);
  });

  it('says where to sign in again when that is needed', async () => {
    const served = await serve({
      switchOrganization: async () => {
        throw new Refusal('session.reauthentication_required', { login_url: '/auth/login?organization_id=…' });
      },
    });
    const answered = await served.send('POST', '/v1/session/organization', { headers: byCookie, json });
    await served.close();
    expect(answered.status).toBe(409);
    expect(answered.json).toMatchObject({
      error: { reason: 'session.reauthentication_required', details: { login_url: '/auth/login?organization_id=…' } },
    });
  });
});

describe('a caller whom the use case refuses', () => {
  it.each<[RefusalReason, number]>([
    ['session.expired', 401],
    ['api_key.address_not_allowed', 403],
    ['identity.unavailable', 503],
  ])('with %s gets %i', async (reason, status) => {
    const served = await serve({
      authenticateCaller: async () => {
        throw new Refusal(reason);
      },
      whoAmI: async () => friendly.whoAmI(anOwner()),
    });
    const answered = await served.send('GET', '/v1/whoami', { headers: byKey });
    await served.close();
    expect(answered.status).toBe(status);
  });
});

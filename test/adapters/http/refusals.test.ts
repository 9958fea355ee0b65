// Each deliberate no has its status, code and message; a fault tells nothing.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue, errorsDocument } from '#adapters/delivery/http/error-catalogue.ts';
import { Refusal, type RefusalReason, refusals } from '#domain/shared/refusal.ts';
import { anId } from '../../support/words.ts';
import { anOwner, byCookie, byToken, type Served, serve } from './served.ts';

const org = `/v1/organizations/${anId('org')}`;

const expected: Readonly<Record<number, { readonly code: string; readonly reasons: readonly RefusalReason[] }>> = {
  400: {
    code: 'VALIDATION_ERROR',
    reasons: [
      'request.invalid',
      'credential.ambiguous',
      'sign_in.state_invalid',
      'delivery.malformed',
      'idempotency_key.malformed',
    ],
  },
  401: {
    code: 'UNAUTHORIZED',
    reasons: [
      'credential.missing',
      'credential.malformed',
      'session.unknown',
      'session.ended',
      'session.expired',
      'session.token_invalid',
      'session.token_expired',
      'session.organization_changed',
      'session.refresh_refused',
      'api_key.malformed',
      'api_key.unknown',
      'api_key.revoked',
      'api_key.expired',
      'agent.not_active',
      'user.not_active',
      'membership.not_active',
      'organization.not_active',
      'delivery.unverified',
    ],
  },
  403: {
    code: 'FORBIDDEN',
    reasons: [
      'request.cross_origin',
      'api_key.address_not_allowed',
      'api_key.beyond_maker',
      'organization.none',
      'caller.scope_missing',
      'caller.person_required',
      'membership.directory_managed',
      'membership.only_owner_makes_admins',
      'membership.only_owner_hands_over',
      'membership.nobody_raises_themself',
      'invitation.directory_decides',
      'sign_in.code_spent',
      'sign_in.denied',
      'sign_in.email_unverified',
      'sign_in.not_a_member',
    ],
  },
  404: {
    code: 'NOT_FOUND',
    reasons: [
      'request.unknown_route',
      'session.not_found',
      'api_key.not_found',
      'agent.not_found',
      'organization.not_found',
      'membership.not_found',
      'invitation.not_found',
      'event.not_found',
      'reconciliation.not_found',
      'connection.not_found',
    ],
  },
  409: {
    code: 'CONFLICT',
    reasons: [
      'reconciliation.not_ready',
      'reconciliation.under_way',
      'reconciliation.not_planned',
      'request.conflict',
      'idempotency_key.reused',
      'idempotency_key.under_way',
      'idempotency_key.answer_gone',
      'session.reauthentication_required',
      'agent.name_taken',
      'organization.slug_taken',
      'membership.revoked',
      'membership.owner_stays',
      'invitation.already_member',
      'invitation.already_sent',
      'invitation.accepted',
      'invitation.not_open',
      'event.applied_already',
      'event.forgotten',
      'sso.not_ready',
    ],
  },
  413: { code: 'PAYLOAD_TOO_LARGE', reasons: ['request.too_large'] },
  422: {
    code: 'POLICY_VIOLATION',
    reasons: [
      'reconciliation.not_supported',
      'reconciliation.removes_most',
      'api_key.without_scopes',
      'membership.ownership_is_handed_over',
      'role_mapping.unknown_group',
      'role_mapping.owner_not_mappable',
      'role_mapping.group_twice',
      'connection.refused',
      'sso.not_supported',
    ],
  },
  503: { code: 'UNAVAILABLE', reasons: ['identity.unavailable', 'identity.throttled', 'storage.unavailable'] },
};

const table = Object.entries(expected).flatMap(([status, { code, reasons }]) =>
  reasons.map((reason) => ({ status: Number(status), code, reason })),
);

describe('refusals', () => {
  let served: Served;
  let reason: RefusalReason = 'request.invalid';
  beforeAll(async () => {
    // Not strict: here one operation is made to refuse with everything.
    served = await serve(
      {
        whoAmI: async () => {
          throw new Refusal(reason, { scope: 'orgs:manage' });
        },
      },
      { strict: false },
    );
  });
  afterAll(() => served.close());

  it('are all in this table', () => {
    expect(table.map((line) => line.reason).sort()).toEqual(Object.keys(refusals).sort());
  });

  it.each(table)('$reason is $status $code', async (line) => {
    reason = line.reason;
    const answered = await served.send('GET', '/v1/whoami', { headers: byToken });
    expect(answered.status).toBe(line.status);
    expect(answered.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answered.json).toEqual({
      error: {
        code: line.code,
        reason: line.reason,
        message: refusals[line.reason],
        details: { scope: 'orgs:manage' },
        request_id: answered.headers['x-request-id'],
      },
    });
    expect(answered.headers['www-authenticate']).toBe(
      line.status === 401 ? 'Bearer realm="hatidata", ApiKey realm="hatidata"' : undefined,
    );
    expect(answered.headers['retry-after']).toBe(line.status === 503 ? '5' : undefined);
  });
});

describe('a refusal that its route does not declare', () => {
  const whoAmI = async () => {
    throw new Refusal('organization.slug_taken');
  };

  it('is a fault where we develop and test', async () => {
    const served = await serve({ whoAmI });
    const answered = await served.send('GET', '/v1/whoami', { headers: byToken });
    await served.close();
    expect(answered.status).toBe(500);
    expect(served.log).toContainEqual(
      expect.objectContaining({
        level: 'error',
        facts: expect.objectContaining({
          fault: expect.objectContaining({ message: 'whoAmI does not declare organization.slug_taken' }),
        }),
      }),
    );
  });

  it('is answered and logged in production', async () => {
    const served = await serve({ whoAmI }, { strict: false });
    const answered = await served.send('GET', '/v1/whoami', { headers: byToken });
    await served.close();
    expect(answered.status).toBe(409);
    expect(served.log).toContainEqual({
      level: 'warn',
      message: 'an undeclared refusal was answered',
      facts: { operation: 'whoAmI', reason: 'organization.slug_taken' },
    });
  });
});

describe('a fault', () => {
  it('tells the client its request id and nothing else, and the log everything', async () => {
    const served = await serve({
      whoAmI: async () => {
        throw new Error('connect ECONNREFUSED 10.0.0.7:5432', { cause: new Error('password of user identity') });
      },
    });
    const answered = await served.send('GET', '/v1/whoami', { headers: byToken });
    await served.close();
    const requestId = answered.headers['x-request-id'];
    expect(answered.status).toBe(500);
    expect(answered.json).toEqual({
      error: {
        code: 'INTERNAL_ERROR',
        reason: 'internal',
        message: 'Something went wrong on our side. Tell us the request id and we can find it.',
        details: {},
        request_id: requestId,
      },
    });
    expect(served.log).toContainEqual({
      level: 'error',
      message: 'fault',
      facts: {
        request_id: requestId,
        route: '/v1/whoami',
        fault: expect.objectContaining({
          message: 'connect ECONNREFUSED 10.0.0.7:5432',
          stack: expect.stringContaining('refusals.test'),
          cause: expect.objectContaining({ message: 'password of user identity' }),
        }),
      },
    });
  });

  it('may be anything that JavaScript lets one throw', async () => {
    const served = await serve({ whoAmI: () => Promise.reject('just a text') });
    const answered = await served.send('GET', '/v1/whoami', { headers: byToken });
    await served.close();
    expect(answered.status).toBe(500);
    expect(answered.text).not.toContain('just a text');
  });
});

describe('the audit trail', () => {
  const refused: unknown[] = [];
  const recordRefusal = async (...given: unknown[]) => {
    refused.push(given);
  };
  const ask = async (method: string, path: string, reason: RefusalReason, json?: unknown) => {
    refused.length = 0;
    const no = async (): Promise<never> => {
      throw new Refusal(reason);
    };
    const served = await serve({ recordRefusal, removeMember: no, listMembers: no, setRoleMappings: no });
    const answered = await served.send(method, path, { headers: byToken, json });
    await served.close();
    return { answered, refused: [...refused] };
  };

  it.each([
    [
      'DELETE',
      `${org}/members/${anId('mem')}`,
      'membership.directory_managed',
      '/v1/organizations/{org}/members/{member}',
    ],
    ['PUT', `${org}/role-mappings`, 'role_mapping.unknown_group', '/v1/organizations/{org}/role-mappings'],
  ] as const)('hears of a forbidden %s %s', async (method, path, reason, pattern) => {
    const json = method === 'PUT' ? { mappings: [] } : undefined;
    const outcome = await ask(method, path, reason, json);
    expect(outcome.refused).toEqual([
      [
        anOwner(),
        { attempt: `${method} ${pattern}`, reason },
        { via: 'http', ip: '127.0.0.1', userAgent: null, requestId: outcome.answered.headers['x-request-id'] },
      ],
    ]);
  });

  it.each([
    ['a refused read', 'GET', `${org}/members`, 'caller.scope_missing'],
    ['a write that is no question of rights', 'DELETE', `${org}/members/${anId('mem')}`, 'membership.not_found'],
  ] as const)('does not hear of %s', async (_what, method, path, reason) => {
    expect((await ask(method, path, reason)).refused).toEqual([]);
  });

  it('hears of a missing scope that the guard refused', async () => {
    refused.length = 0;
    const served = await serve({
      recordRefusal,
      authenticateCaller: async () => anOwner({ role: 'analyst', scopes: [] }),
    });
    const answered = await served.send('POST', `${org}/agents`, { headers: byToken, json: { name: 'x' } });
    await served.close();
    expect(answered.status).toBe(403);
    expect(refused).toHaveLength(1);
  });

  it('cannot change the answer by failing', async () => {
    const served = await serve({
      recordRefusal: () => Promise.reject(new Error('disk full')),
      removeMember: async () => {
        throw new Refusal('membership.directory_managed');
      },
    });
    const answered = await served.send('DELETE', `${org}/members/${anId('mem')}`, { headers: byToken });
    await served.close();
    expect(answered.status).toBe(403);
    expect(served.log).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'a refusal could not be recorded' }),
    );
  });
});

describe('the catalogue', () => {
  it('is what docs/errors.md says', async () => {
    const written = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    expect(written).toBe(errorsDocument());
  });

  it('has every reason and the fault', () => {
    expect(errorCatalogue().map(({ reason }) => reason)).toEqual([...Object.keys(refusals), 'internal']);
  });
});

describe('a database that is away', () => {
  it('is told to the operator with what stood in the way, once and not for everybody; callers hear nothing of it', async () => {
    const cause = new Error('could not extend file: No space left on device');
    const served = await serve({
      whoAmI: async () => {
        throw new Refusal('storage.unavailable', {}, cause);
      },
    });
    try {
      for (let ask = 0; ask < 3; ask += 1) {
        const answer = await served.send('GET', '/v1/whoami', { headers: byCookie });
        expect(answer.status).toBe(503);
        expect(JSON.stringify(answer.json)).not.toContain('device');
      }
      const told = served.log.filter(({ message }) => message === 'requests are answered with 503');
      expect(told).toMatchObject([{ level: 'warn', facts: { reason: 'storage.unavailable', fault: cause } }]);
    } finally {
      await served.close();
    }
  });
});

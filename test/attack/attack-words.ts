// Words that the attacks share: anything a provider could say, signed as the fake provider signs.

import { signatureHeader } from '#adapters/identity/wire/signature.ts';
import type { Answer, World } from '#bootstrap/testing.ts';

let count = 0;

/** Sends an authentic event to the webhook, as the provider would, and waits until it is applied. */
export const say = async (
  world: World,
  event: string,
  data: Readonly<Record<string, unknown>>,
  facts: Readonly<Record<string, unknown>> = {},
): Promise<Answer> => {
  count += 1;
  const whole = {
    object: 'event',
    id: `event_attack_${count}_${Math.random().toString(36).slice(2)}`,
    event,
    created_at: world.clock.now().toISOString(),
    data,
    ...facts,
  };
  const answer = await sendRaw(world, Buffer.from(JSON.stringify(whole)));
  await world.settle();
  return answer;
};

export const sendRaw = (
  world: World,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
  at = world.clock.now(),
): Promise<Answer> =>
  world.anonymous.send('POST', '/webhooks/fake', {
    body: new Uint8Array(body),
    headers: {
      'content-type': 'application/json',
      'workos-signature': signatureHeader(body, world.provider.webhookSecret, at),
      ...headers,
    },
  });

/** The provider's name of one of our organizations. */
export const refOf = (world: World, organization: string): string => {
  const ref = world.provider.organizations.byExternalId(organization)?.ref;
  if (!ref) throw new Error(`the provider does not know ${organization}`);
  return ref;
};

// Our side of the apply rate: deliveries are taken in beforehand, then the inbox is worked until nothing is due.

import { assembled, persistenceAt } from '../lib/assembled.ts';
import { ask } from '../lib/databases.ts';
import { directoryActivated, type Event, organizationCreated, signed, userCreated } from '../lib/events.ts';
import { type ApplyAsked, answering, atOnce } from './answering.ts';

const url = process.env['URL'] ?? '';
const persistence = await persistenceAt(url);
/** Takes in and leaves the work to the other one, as a node with `ROLE=serve`. */
const receiver = await assembled(persistence);
await Promise.all([receiver.inbox.stop(), receiver.outbox.stop()]);
const worker = await assembled(persistence);
// Effects are committed with what they follow from; carrying them out is measured as a part of `with effects`.
if (process.env['EFFECTS'] !== 'yes') await worker.outbox.stop();

let people = 0;

const take = (events: readonly Event[]): Promise<void> =>
  atOnce(events, 8, (event) => receiver.useCases.receiveDelivery('workos', deliveryOf(event)));
const deliveryOf = (event: Event) => {
  const { body, signature } = signed(event);
  return { body: Buffer.from(body), signature };
};

const applied = async (): Promise<number> =>
  (await ask<{ n: number }>(url, `select count(*)::int as n from memberships where status = 'active'`))[0]?.n ?? 0;

const known = new Set<string>();
let before = 0;

answering<ApplyAsked>(async ({ do: what, events, organizations }) => {
  if (what === 'prepare') {
    const names = Array.from({ length: organizations }, (_, index) => `x${organizations}y${index}`);
    const fresh = names.filter((name) => !known.has(name));
    for (const name of fresh) {
      await take([organizationCreated(name)]);
      await take([directoryActivated(name)]);
      known.add(name);
    }
    await worker.inbox.drain();
    await worker.outbox.drain();
    await take(
      Array.from({ length: events }, (_, index) => {
        people += 1;
        return userCreated(names[index % names.length] ?? '', `p${people}`);
      }),
    );
    before = await applied();
    return { seconds: 0 };
  }
  const started = performance.now();
  await worker.inbox.drain();
  await worker.outbox.drain();
  const seconds = (performance.now() - started) / 1000;
  const news = (await applied()) - before;
  if (news !== events) throw new Error(`${events} people were to come in, and ${news} did`);
  return { seconds };
});

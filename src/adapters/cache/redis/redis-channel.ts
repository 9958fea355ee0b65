// Hears over Redis what other nodes forget.

import type { AnnouncementChannel, Forgettable, Hearing } from '#application/ports/caller-cache.ts';
import { clientFor, nameOf } from './redis-link.ts';

/** How often it is asked whether everything was heard: several times within the stated bound. */
const beatMilliseconds = 500;
/** Without an answer for this long it counts as lost. By then memory is long not believed any more; a busy moment is no loss. */
const answerMilliseconds = 3_000;
const openMilliseconds = 1_000;

/** @param prefix and node: as for `RedisTier` */
export const redisChannel = (url: string, prefix: string, node: string): AnnouncementChannel => {
  const client = clientFor(url, 'hatidata-identity-hears');
  const channel = `${prefix}:forget`;
  let timer: NodeJS.Timeout | undefined;

  return {
    async hear(hearing: Hearing) {
      let isAsking = false;
      let isSubscribed = false;
      const ask = async (): Promise<void> => {
        if (isAsking || !isSubscribed || !client.isReady) return;
        isAsking = true;
        const asOf = performance.now();
        const impatience = setTimeout(() => hearing.lost('no answer in time'), answerMilliseconds);
        try {
          // On the connection of the subscription: its answer comes after every word that was said before it.
          await client.sendCommand(['PING']);
          if (performance.now() - asOf < answerMilliseconds) hearing.caughtUp(asOf);
        } catch (fault) {
          hearing.lost(nameOf(fault));
        } finally {
          clearTimeout(impatience);
          isAsking = false;
        }
      };
      const begin = async (): Promise<void> => {
        // From then on node-redis itself subscribes again, before it says that it is ready.
        if (!isSubscribed) {
          await client.subscribe(channel, (said) => {
            const [from, ...ids] = said.split(' ');
            // What this node said itself it did before it said so. What it has asked anew since is good.
            if (from !== node) hearing.heard(ids as Forgettable[]);
          });
          isSubscribed = true;
        }
        await ask();
      };
      const begun = Promise.withResolvers<void>();
      client.on('error', (fault) => hearing.lost(nameOf(fault)));
      client.on('ready', () => void begin().then(begun.resolve, (fault) => hearing.lost(nameOf(fault))));
      client.connect().catch(() => {});
      const patience = setTimeout(begun.resolve, openMilliseconds);
      await begun.promise;
      clearTimeout(patience);
      timer = setInterval(() => void ask(), beatMilliseconds).unref();
    },
    async close() {
      clearInterval(timer);
      client.destroy();
    },
  };
};

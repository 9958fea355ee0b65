// The machine's own parts: time, ids, randomness, digests, seals, networks, the log, and the cache of proven callers.

import { ContainerModule } from 'inversify';
import { cryptoEntropy } from '#adapters/system/crypto-entropy.ts';
import { jweSeal } from '#adapters/system/jwe-seal.ts';
import { nodeDigest } from '#adapters/system/node-digest.ts';
import { nodeNetworks } from '#adapters/system/node-networks.ts';
import { typeIds } from '#adapters/system/type-ids.ts';
import type { CallerCache } from '#application/ports/caller-cache.ts';
import type { Clock, Log } from '#application/ports/system.ts';
import type { Secrets } from '#bootstrap/generated-secrets.ts';
import { T } from '#bootstrap/tokens.ts';

export const systemModule = (clock: Clock, log: Log, secrets: Secrets, callerCache: CallerCache): ContainerModule =>
  new ContainerModule(({ bind }) => {
    bind(T.clock).toConstantValue(clock);
    bind(T.log).toConstantValue(log);
    bind(T.ids).toConstantValue(typeIds);
    bind(T.entropy).toConstantValue(cryptoEntropy);
    bind(T.networks).toConstantValue(nodeNetworks);
    bind(T.digest).toConstantValue(nodeDigest(secrets.pepper));
    bind(T.seal).toConstantValue(jweSeal(secrets.session, clock));
    bind(T.callerCache).toConstantValue(callerCache);
  });

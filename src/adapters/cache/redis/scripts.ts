// The scripts that run inside Redis, each one round trip and indivisible.

// `KEYS[1]`, the clock, is a hash: `era`, a random word that is new whenever somebody may have missed something, and `seq`, which
// each forgetting moves on. Without it (a flush) a new era begins, and no stamp of before fits.
const clock = `
local era, seq = unpack(redis.call('HMGET', KEYS[1], 'era', 'seq'))
if not era or not seq then
  era, seq = ARGV[1], '0'
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'era', era, 'seq', seq)
end`;

/**
 * Begins a new era: nothing that was stored before is good any more.
 * KEYS clock. ARGV a fresh era.
 */
export const beginEra = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'era', ARGV[1], 'seq', '0')
return 1`;

/** KEYS clock. ARGV a fresh era. Answers [era, seq]. */
export const readClock = `${clock}
return { era, seq }`;

/**
 * Reads an entry if none of its subjects was forgotten since its filling began; else hands out the stamp for a new filling, and the
 * lease, if one is asked for and free. A subject whose epoch is missing (evicted) counts as forgotten.
 * KEYS clock, entry, lease. ARGV fresh era, prefix of epochs, token of the lease or '', its milliseconds.
 * Answers [era, seq, value, milliseconds left] or [era, seq, 'leased' or 'busy' or 'free'].
 */
export const readEntry = `${clock}
local entry = redis.call('HMGET', KEYS[2], 'era', 'seq', 'subjects', 'value')
local good = entry[1] == era
if good then
  for subject in string.gmatch(entry[3], '%S+') do
    local epoch = redis.call('GET', ARGV[2] .. subject)
    if not epoch or tonumber(epoch) > tonumber(entry[2]) then good = false break end
  end
end
if good then return { era, seq, entry[4], redis.call('PTTL', KEYS[2]) } end
if ARGV[3] == '' then return { era, seq, 'free' } end
if redis.call('SET', KEYS[3], ARGV[3], 'NX', 'PX', ARGV[4]) then return { era, seq, 'leased' } end
return { era, seq, 'busy' }`;

/**
 * Stores an entry, unless its stamp is of another era, one of its subjects was forgotten since, or the lease under which it was found
 * is no longer ours. A subject without an epoch counts as forgotten just now, if anything was since the stamp: its forgetting may
 * have been evicted. From then on it has one, so the next filling is not in doubt.
 * KEYS clock, entry, lease. ARGV era, seq, prefix of epochs, milliseconds of an epoch, token or '', value, milliseconds, subjects…
 */
export const writeEntry = `
if redis.call('HGET', KEYS[1], 'era') ~= ARGV[1] then return 0 end
if ARGV[5] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[5] then return 0 end
local now = redis.call('HGET', KEYS[1], 'seq')
local good = true
for i = 8, #ARGV do
  redis.call('SET', ARGV[3] .. ARGV[i], now, 'NX')
  redis.call('PEXPIRE', ARGV[3] .. ARGV[i], ARGV[4])
  if tonumber(redis.call('GET', ARGV[3] .. ARGV[i])) > tonumber(ARGV[2]) then good = false end
end
if not good then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'era', ARGV[1], 'seq', ARGV[2], 'subjects', table.concat(ARGV, ' ', 8), 'value', ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
if ARGV[5] ~= '' then redis.call('DEL', KEYS[3]) end
return 1`;

/**
 * Gives a lease back, if it is still ours.
 * KEYS lease. ARGV token.
 */
export const endLease = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Forgets subjects, and tells the nodes.
 * KEYS clock. ARGV fresh era, prefix of epochs, milliseconds of an epoch, channel or '', who tells, subjects…
 */
export const forgetSubjects = `${clock}
local now = redis.call('HINCRBY', KEYS[1], 'seq', 1)
for i = 6, #ARGV do redis.call('SET', ARGV[2] .. ARGV[i], now, 'PX', ARGV[3]) end
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], table.concat(ARGV, ' ', 5)) end
return 1`;

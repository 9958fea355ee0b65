// Addresses and CIDR blocks by Node's own net.BlockList.

import { BlockList, isIP, isIPv4 } from 'node:net';
import type { Networks } from '#application/ports/system.ts';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** A v4 address that came over a v6 socket counts as what it is. */
const plain = (address: string): string => mapped.exec(address)?.[1] ?? address;

const parse = (text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined => {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const width = version === 4 ? 32 : 128;
  if (bits === undefined) return { address, bits: width, family: version === 4 ? 'ipv4' : 'ipv6' };
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > width) return undefined;
  return { address, bits: Number(bits), family: version === 4 ? 'ipv4' : 'ipv6' };
};

/** Lists are built once for as long as somebody holds the blocks. */
const lists = new WeakMap<readonly string[], BlockList>();

const listOf = (blocks: readonly string[]): BlockList => {
  const known = lists.get(blocks);
  if (known) return known;
  const list = new BlockList();
  for (const block of blocks) {
    const parsed = parse(block);
    if (parsed) list.addSubnet(parsed.address, parsed.bits, parsed.family);
  }
  lists.set(blocks, list);
  return list;
};

export const nodeNetworks: Networks = {
  isBlock: (text) => parse(text) !== undefined,
  contains: (blocks, address) => {
    const candidate = plain(address);
    if (isIP(candidate) === 0) return false;
    return listOf(blocks).check(candidate, isIPv4(candidate) ? 'ipv4' : 'ipv6');
  },
};

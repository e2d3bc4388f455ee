import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Config } from '@seneschal/config';

import type { Check, Finding } from './finding.ts';

type SecretsConfig = Pick<
  Config,
  'registration_shared_secret' | 'meilisearch_api_key' | 'bcrypt_cost' | 'data_dir' | 'signing_key_file'
>;

/** What is beyond trying for as long as anybody would. */
const enoughBits = 80;
const usualCost = 10;

/** About how many bits it takes to name a text, going by how often each of its characters comes. */
export function bitsOf(text: string): number {
  const characters = Array.from(text);
  const counts = new Map<string, number>();
  for (const one of characters) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - count * Math.log2(count / characters.length), 0);
}

/** Whether what must be secret can be guessed or read. */
export function secrets(config: SecretsConfig): Check {
  return {
    name: 'secrets',
    run: async () => [
      ...weak('registration_shared_secret', config.registration_shared_secret),
      ...weak('meilisearch_api_key', config.meilisearch_api_key),
      ...usedTwice(config),
      ...hashes(config),
      ...(await signingKey(config)),
    ],
  };
}

function weak(setting: string, value: string | null): Finding[] {
  if (value === null || bitsOf(value) >= enoughBits) return [];
  return [
    {
      id: 'weak_secret',
      severity: 'critical',
      subject: setting,
      meaning: `${setting} can be guessed: it is short, or made of few characters or of words.`,
      remedy: 'Replace it with the output of `openssl rand -base64 32`.',
    },
  ];
}

function usedTwice(config: SecretsConfig): Finding[] {
  const { registration_shared_secret: one, meilisearch_api_key: other } = config;
  if (one === null || one !== other) return [];
  return [
    {
      id: 'secret_used_twice',
      severity: 'warning',
      meaning:
        'registration_shared_secret and meilisearch_api_key are the same: whoever knows the key of the search engine can make administrators.',
      remedy: 'Give each a secret of its own, from `openssl rand -base64 32`.',
    },
  ];
}

function hashes({ bcrypt_cost: cost }: SecretsConfig): Finding[] {
  if (cost >= usualCost) return [];
  return [
    {
      id: 'weak_password_hashes',
      severity: 'warning',
      meaning: `Passwords are hashed at cost ${cost}: from a stolen database they are guessed ${2 ** (usualCost - cost)} times as fast as at the usual ${usualCost}.`,
      remedy: `Remove bcrypt_cost from the configuration, or set it to ${usualCost} or more.`,
    },
  ];
}

/** The key may be elsewhere, as this process does not sign; then it is not for this process to look at. */
async function signingKey({ signing_key_file: named, data_dir: folder }: SecretsConfig): Promise<Finding[]> {
  const file = named ?? join(folder, 'signing.key');
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || (found.mode & 0o077) === 0) return [];
  return [
    {
      id: 'signing_key_readable',
      severity: 'critical',
      subject: file,
      meaning:
        'The key that signs events can be read by other users of this machine, who could then speak for the server.',
      remedy: `chmod 600 ${file}`,
    },
  ];
}

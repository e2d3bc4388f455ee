import { isIP } from 'node:net';

import { supportedRoomVersions } from '@seneschal/matrix';
import { z } from 'zod';

/** One setting: where it stands in the file, which variable overrides it, what it may be. */
export interface Setting<T> {
  readonly environment: `SENESCHAL_${string}`;
  readonly description: string;
  readonly shape: z.ZodType<T>;
  /** The value when nothing is set, as one would write it in the file; undefined means that it is required. */
  readonly fallback: string | number | boolean | null;
  readonly secret: boolean;
}

/** Makes one setting. */
export function setting<T>(
  environment: `SENESCHAL_${string}`,
  fallback: string | number | boolean | null,
  shape: z.ZodType<T>,
  description: string,
  secret = false,
): Setting<T> {
  return { environment, fallback, shape, description, secret };
}

/** Values known from documentation and sample files: whoever has read them could register administrators. */
const knownSecrets =
  /^(change[-_ ]?me|secret|password|test|example|default|letmein|registration_shared_secret)/i;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** `30s`: read as milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'is a number with a unit: ms, s, m, h or d, for instance 30s')
  .transform((text) => Number.parseInt(text, 10) * units[text.replace(/^\d+/, '') as keyof typeof units]);

export const onOff = z
  .union([z.boolean(), z.enum(['on', 'off', 'true', 'false'])], 'is on or off')
  .transform((value) => value === true || value === 'on' || value === 'true');

export const integer = (minimum: number, maximum: number): z.ZodType<number> =>
  z.coerce
    .number(`is a whole number from ${minimum} to ${maximum}`)
    .int(`is a whole number from ${minimum} to ${maximum}`)
    .min(minimum, `is at least ${minimum}`)
    .max(maximum, `is at most ${maximum}`);

export const listenAddress = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/, 'is host:port, for instance 127.0.0.1:8008')
  .transform((text) => {
    const at = text.lastIndexOf(':');
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
  })
  .refine(({ port }) => port <= 65_535, 'has a port above 65535');

export const url = (protocols: RegExp, example: string): z.ZodType<string> =>
  z.string().regex(protocols, `is an address like ${example}`);

export const sharedSecret = z
  .string()
  .min(16, 'is too short: take at least 16 random characters, for instance from `openssl rand -base64 32`')
  .refine(
    (text) => !knownSecrets.test(text) && new Set(text).size >= 8,
    'can be guessed: take random characters, for instance from `openssl rand -base64 32`',
  );

export const roomVersion = z.coerce
  .string()
  .refine(
    (version) => supportedRoomVersions.includes(version),
    `is a room version that this server has: ${supportedRoomVersions.join(', ')}`,
  );

const namedNetworks = new Set(['loopback', 'linklocal', 'uniquelocal']);

/** `loopback,10.0.0.0/8`: the names and networks that Express knows. */
export const networks = z
  .string()
  .refine(
    (text) => text.split(',').every((one) => namedNetworks.has(one.trim()) || isNetwork(one.trim())),
    'is a list of addresses or networks, separated by commas, for instance loopback,10.0.0.0/8',
  );

/** An IP address, with or without a prefix length. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** A web origin as browsers send it: scheme, host, and a port that is not the usual one; no path. */
export function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** An address of the web. */
export function isWebAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

/** `a, b` or, in the file, a YAML list. */
export const listOf = (holds: (item: string) => boolean, message: string): z.ZodType<readonly string[]> =>
  z
    .union([z.string(), z.array(z.string())], message)
    .transform((given) =>
      (typeof given === 'string' ? given.split(',') : given).map((item) => item.trim()).filter(Boolean),
    )
    .refine((items) => items.every(holds), message);

import { readFile } from 'node:fs/promises';

import type { Config } from '@seneschal/config';
import type { Tls } from '@seneschal/http';

import { codeOf, StartError } from './start-error.ts';

/** The certificate of the federation listener; undefined when a proxy speaks TLS for it. Throws StartError. */
export async function federationTls(
  config: Pick<Config, 'federation_tls_certificate' | 'federation_tls_key'>,
): Promise<Tls | undefined> {
  const { federation_tls_certificate: certificate, federation_tls_key: key } = config;
  if (certificate === null && key === null) return undefined;
  if (certificate === null || key === null) {
    throw new StartError('federation_tls_certificate and federation_tls_key are set together or not at all.');
  }
  return {
    cert: await read('federation_tls_certificate', certificate),
    key: await read('federation_tls_key', key),
  };
}

async function read(setting: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new StartError(`The file in ${setting} cannot be read (${codeOf(error)}).`, { cause: error });
  });
}
